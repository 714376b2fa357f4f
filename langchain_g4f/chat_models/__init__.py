"""The LangChain face: the only floor that knows langchain_core's messages."""
