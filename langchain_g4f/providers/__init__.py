"""Who we talk to: each provider is a plan and a decoder. No I/O, no LangChain."""
