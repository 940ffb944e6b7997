"""What runs only on a developer's machine: a private database server, the demo, the web UI."""
