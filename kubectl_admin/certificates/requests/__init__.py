"""Requests for certificates (CertificateSigningRequests): which are valid, and how those are approved.

Read in this order: facts and pkcs10, nodes, gather, rules and policy, approve, issued, watch, report.
"""
