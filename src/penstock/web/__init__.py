"""The web server: GraphQL, live push, downloads, health, and the built UI."""
