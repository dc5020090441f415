"""What the services share: contracts, topics, and how to talk to Kafka, MongoDB and HTTP."""
