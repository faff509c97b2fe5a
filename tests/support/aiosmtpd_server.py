"""A third party's SMTP server for tests/smtp_foreign.rs: aiosmtpd, on loopback, port 0.

Usage: aiosmtpd_server.py none|starttls|tls PEM_WITH_KEY
Prints the port, then one JSON line for each message; ends when its standard input does.
"""

import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Handler:
    async def handle_DATA(self, server, session, envelope):
        message = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.original_content.decode("utf-8"),
            "tls": session.ssl is not None or MODE == "tls",
            "login": session.authenticated,
        }
        print(json.dumps(message), flush=True)
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    right = LoginPassword(login=b"coalition", password=b"hunter2")
    # Not handled: then aiosmtpd itself answers 535.
    return AuthResult(success=data == right, handled=False)


async def main():
    context = None
    if MODE != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[2])

    def session():
        return SMTP(
            Handler(),
            enable_SMTPUTF8=True,
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=False,
            tls_context=context if MODE == "starttls" else None,
            require_starttls=MODE == "starttls",
        )

    loop = asyncio.get_running_loop()
    implicit = context if MODE == "tls" else None
    server = await loop.create_server(session, host="127.0.0.1", port=0, ssl=implicit)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


# It warns of log-ins without TLS, which are what one of the modes tests.
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
MODE = sys.argv[1]
asyncio.run(main())
