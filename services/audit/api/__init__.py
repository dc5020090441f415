"""The HTTP interface: each route parses, authorises and calls one flow."""
