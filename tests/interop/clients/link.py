"""What the clients in Python share: how they are called (README.md), offer and answer over HTTP."""
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

MODE, PLACE, TOKEN, CODEC = sys.argv[1:5]
WIDTH, HEIGHT, RATE = 320, 180, 15
PICTURE = WIDTH * HEIGHT * 3 // 2
EVENTS = os.fdopen(3, "w")


def say(**event):
    EVENTS.write(json.dumps(event) + "\n")
    EVENTS.flush()


def call(method, url, body=None):
    """(status, headers, text); an HTTP error is an answer too."""
    request = urllib.request.Request(url, data=None if body is None else body.encode(), method=method)
    request.add_header("Authorization", "Bearer " + TOKEN)
    if body is not None:
        request.add_header("Content-Type", "application/sdp")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def post(offer):
    """The answer, and the session's address."""
    status, headers, text = call("POST", PLACE, offer)
    say(event="answer", status=status, location=headers.get("Location"), offer=offer, answer=text)
    if status != 201:
        os._exit(1)
    return text, urllib.parse.urljoin(PLACE, headers.get("Location"))


def leave(session):
    say(event="left", status=call("DELETE", session)[0])
