"""What /configz, /flagz and /statusz answer, of every minor and of hostile servers."""

import json

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.running import decode

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"


def test_the_only_configuration_is_shown_without_its_registered_name():
    body = json.dumps({"kubeletconfig": {"port": 10250}})
    assert decode.configuration(body, "it") == {"port": 10250}


def test_several_configurations_keep_their_names():
    body = json.dumps({"a": {"x": 1}, "b": {"y": 2}})
    assert decode.configuration(body, "it") == {"a": {"x": 1}, "b": {"y": 2}}


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"a": 1}', "404 page not found", '{"a": [1]}'])
def test_what_is_no_configuration_is_refused(body):
    with pytest.raises(AdminError):
        decode.configuration(body, "it")


def test_a_configuration_nested_without_end_is_refused():
    body = '{"a": ' * 200 + "1" + "}" * 200
    with pytest.raises(AdminError, match="nested too deeply"):
        decode.configuration(body, "it")


def test_secrets_are_masked_wherever_they_are():
    body = json.dumps(
        {"k": {"list": [f"Bearer {TOKEN}"], "url": "https://me:secret@host/", "t": "abcdef.0123456789abcdef"}}
    )
    found = decode.configuration(body, "it")
    assert found == {"list": ["Bearer ***"], "url": "https://***@host/", "t": "***"}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"kind": "Flagz", "flags": {"bind-address": "0.0.0.0"}}),
        "kube-apiserver flagz\nWarning: This endpoint is not meant for programs\n\nbind-address=0.0.0.0\n",
    ],
)
def test_flags_are_read_from_json_and_from_text(body):
    assert decode.flags(body, "it") == {"bind-address": "0.0.0.0"}


@pytest.mark.parametrize("body", ["", "{}", '{"flags": []}', "nothing here"])
def test_what_holds_no_flags_is_refused(body):
    with pytest.raises(AdminError):
        decode.flags(body, "it")


def test_the_status_is_read_from_json_and_from_text():
    body = json.dumps({"kind": "Statusz", "binaryVersion": "1.36.3", "goVersion": "go1.26.8", "paths": []})
    assert decode.status(body, "it") == {"binaryVersion": "1.36.3", "goVersion": "go1.26.8"}
    text = (
        "kube-scheduler statusz\n\nStarted: Mon Nov 30 03:04:24\nGo version: go1.24\nBinary version: 1.33.1\n"
    )
    assert decode.status(text, "it")["binaryVersion"] == "1.33.1"
