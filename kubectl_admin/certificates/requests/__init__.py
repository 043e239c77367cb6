"""Requests for certificates (CertificateSigningRequests): which are right, and how those get approved."""
