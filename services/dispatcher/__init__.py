"""The dispatcher judges alerts, plans sends and sends them."""
