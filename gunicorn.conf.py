"""gunicorn's own lines of the log come out as all others; gunicorn reads this file by its name."""

from gas import env
from gas.logs import lines

# Nobody asks gunicorn by its socket, which it would make where a walled service may not write.
control_socket_disable = True
logconfig_dict = lines.configuration(
    level=env.text("GAS_LOG"), style=env.text("GAS_LOG_FORMAT"), secrets=env.secret_values()
)
