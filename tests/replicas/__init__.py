"""Three replicas behind the reverse proxy of compose.yaml, as processes of this machine."""
