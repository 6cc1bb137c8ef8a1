//! Text to topology: TypeScript, JavaScript and YAML.
