"""A stand-in for FlowGPT. Import `FlowGptSandbox` from `langchain_g4f.testing`."""
