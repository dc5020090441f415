"""The three services; they talk over Kafka only and never import each other."""
