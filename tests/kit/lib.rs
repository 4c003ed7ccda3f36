//! Throwaway clusters, an every-object schema, an oracle and a mutator.
