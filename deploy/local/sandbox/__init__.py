"""The outside world on one machine: Twilio's API, a mail server and a token issuer.

One process, `python -m deploy.local.sandbox`. It behaves as the real ones do where our services
can tell the difference, and misbehaves on purpose when asked to (`POST /faults`).
"""
