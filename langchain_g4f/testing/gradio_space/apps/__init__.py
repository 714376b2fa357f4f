"""Small Gradio apps for `GradioSpace`, run by an interpreter that has gradio and nothing of ours.

They are started as `python -m apps.spaces NAME`, with the folder above on the module path. Hence
the two rules of this folder: nothing from langchain_g4f is imported, and siblings are imported
relatively, which works under both names. gradio itself is imported inside functions, so that the
modules can be imported, and the model tested, where it is missing.

Annotations are left to be evaluated: Gradio reads them to find out who wants the request.
"""
