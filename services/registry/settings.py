"""The registry's settings."""

from shared.settings import ServiceSettings


class RegistrySettings(ServiceSettings):
    """Everything the registry needs to start."""
