"""The whole stack on one machine: real servers, a sandbox for the outside world, the services."""
