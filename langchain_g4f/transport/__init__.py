"""HTTP: the only floor that knows httpx (and curl_cffi).

One seam: an ``httpx`` transport. A browser-like one is another transport under the
same client, nothing else changes.
"""
