"""The GraphQL API: the schema is `schema.graphql`; one file of resolvers for each noun."""
