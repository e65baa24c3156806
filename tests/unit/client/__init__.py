"""The client against a service and a storage that live in this process."""
