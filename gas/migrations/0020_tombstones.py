from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gas', '0019_changing_secrets'),
    ]

    operations = [
        migrations.AlterField(
            model_name='discard',
            name='kind',
            field=models.CharField(choices=[('object', 'Object'), ('prefix', 'Prefix'), ('archive', 'Archive'), ('parts', 'Parts'), ('tombstone', 'Tombstone')], max_length=10),
        ),
    ]
