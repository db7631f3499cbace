"""`crossdock mcp`: a seller's tools for an assistant, over MCP. docs/agents-for-sellers.md has it from the outside."""
