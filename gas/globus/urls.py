"""Where people come in and leave; to be placed before the admin, whose doors it takes over."""

from django.urls import path

from gas.globus import views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("login/globus/", views.globus_login, name="globus_login"),
    path("login/globus/callback/", views.globus_callback, name="globus_callback"),
    path("logout/", views.logout, name="logout"),
    path("admin/login/", views.admin_login),
    path("admin/logout/", views.logout),
]
