"""The keys of one opening."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kubectl_admin.etcd.past.certificates import ADDRESS, VALID, make

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_the_server_is_the_one_at_the_loopback_by_the_word_of_the_authority():
    keys = make(NOW)
    authority = x509.load_pem_x509_certificate(keys.authority)
    server = x509.load_pem_x509_certificate(keys.certificate)
    server.verify_directly_issued_by(authority)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == [ADDRESS]
    assert server.not_valid_before_utc < NOW < server.not_valid_after_utc == NOW + VALID
    assert load_pem_private_key(keys.key, None).public_key() == server.public_key()


def test_no_two_openings_share_anything():
    one, other = make(NOW), make(NOW)
    for name in ("authority", "certificate", "key", "accounts", "token"):
        assert getattr(one, name) != getattr(other, name)


def test_the_key_of_the_authority_is_nowhere():
    keys = make(NOW)
    authority = x509.load_pem_x509_certificate(keys.authority).public_key()
    for pem in (keys.key, keys.accounts):
        assert load_pem_private_key(pem, None).public_key() != authority


def test_nothing_secret_is_shown():
    keys = make(NOW)
    assert keys.token not in repr(keys)
    assert "PRIVATE" not in repr(keys)
