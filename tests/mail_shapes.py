"""Mails as real programs write them, by the shape of their headers and parts; no one real is in."""

from tests.mailboxes import ADDRESS, ANN, EVE, MAX, SERVER

OUR_ID = "<dg.0123456789abcdef0123456789abcdef@desk.example>"


def raw(text: str) -> bytes:
    """The text with the line ends of mail."""
    return text.strip("\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape")


def quoted_reply(answered: str, to: str = ADDRESS) -> bytes:
    """As Gmail answers: two alternatives, the quote below, the reply address in To."""
    return raw(f"""
Return-Path: <{ANN}>
Authentication-Results: {SERVER}; dkim=pass header.d=shop.example;
	dmarc=pass header.from=shop.example
Received: from mail.shop.example ([192.0.2.7]) by {SERVER} with ESMTPS;
	Sun, 29 Nov 2026 11:00:00 +0000
MIME-Version: 1.0
References: <first@shop.example> {answered}
In-Reply-To: {answered}
From: =?utf-8?q?Ann_M=C3=BCller?= <{ANN}>
Date: Sun, 29 Nov 2026 12:00:00 +0100
Message-ID: <second@shop.example>
Subject: Re: My order
To: Desk <{to}>
Content-Type: multipart/alternative; boundary="000000000000a1b2c3"

--000000000000a1b2c3
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

It still has not arrived, J=C3=BCrgen.

On Sun, 29 Nov 2026 at 11:00, Desk <{ADDRESS}> wrote:

> It is on its way.

--000000000000a1b2c3
Content-Type: text/html; charset="UTF-8"

<div>It still has not arrived.</div>

--000000000000a1b2c3--
""")


OUT_OF_OFFICE = raw(f"""
Return-Path: <>
Received: from mail.shop.example ([192.0.2.7]) by {SERVER} with ESMTPS;
	Sun, 29 Nov 2026 11:00:00 +0000
From: Ann <{ANN}>
To: <{ADDRESS}>
Subject: Automatic reply: My order
Date: Sun, 29 Nov 2026 11:00:00 +0000
Message-ID: <ooo@shop.example>
In-Reply-To: {OUR_ID}
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All
Content-Type: text/plain; charset="us-ascii"

I am out of the office until 4 December.
""")


def bounce(failed: str) -> bytes:
    """As Postfix reports that a mail could not be delivered."""
    return raw(f"""
Return-Path: <>
Received: by {SERVER} (Postfix) id 4XyZ; Sun, 29 Nov 2026 11:00:00 +0000 (UTC)
Date: Sun, 29 Nov 2026 11:00:00 +0000 (UTC)
From: MAILER-DAEMON@{SERVER} (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {ADDRESS}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XyZ.1764414000/{SERVER}"
Message-Id: <20261129110000.4XyZ@{SERVER}>

--4XyZ.1764414000/{SERVER}
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--4XyZ.1764414000/{SERVER}
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; {SERVER}
Arrival-Date: Sun, 29 Nov 2026 10:59:58 +0000 (UTC)

Final-Recipient: rfc822; {ANN}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--4XyZ.1764414000/{SERVER}
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <{ADDRESS}>
From: Desk <{ADDRESS}>
To: {ANN}
Subject: Re: My order
Message-ID: {failed}

--4XyZ.1764414000/{SERVER}--
""")


LIST_MAIL = raw(f"""
Return-Path: <news-bounces@list.example>
From: News <news@list.example>
To: <{ADDRESS}>
Subject: Our newsletter
Message-ID: <news-1@list.example>
List-Id: <news.list.example>
List-Unsubscribe: <https://list.example/u>
Precedence: bulk
Content-Type: text/html; charset=utf-8

<p>Buy now</p>
""")

OWN_ECHO = raw(f"""
Return-Path: <{ADDRESS}>
From: Desk <{ADDRESS}>
To: {ANN}
Subject: Re: My order
Message-ID: {OUR_ID}
Auto-Submitted: auto-replied
Content-Type: text/plain

It is on its way.
""")

# What Eve writes herself stands below the line that our server writes on top.
FORGED_RESULTS = raw(f"""
Return-Path: <{EVE}>
Received: from evil.example (mx.desk.example [203.0.113.66]) by {SERVER} with ESMTP;
	Sun, 29 Nov 2026 11:00:00 +0000
Authentication-Results: {SERVER}; dmarc=pass header.from=shop.example
Received: from mail.shop.example by {SERVER} with ESMTPS;
	Sun, 29 Nov 2026 10:59:00 +0000
From: Ann <{ANN}>
To: <{ADDRESS}>
Subject: Refund please
Date: Sun, 29 Nov 2026 10:59:00 +0000
Message-ID: <forged@shop.example>
Content-Type: text/plain

Send my money back to this account.
""")

ATTACHMENTS = raw(f"""
From: Ann <{ANN}>
To: <{ADDRESS}>
Subject: Photo of the damage
Message-ID: <photo@shop.example>
Content-Type: multipart/mixed; boundary="mix"

--mix
Content-Type: multipart/related; boundary="rel"

--rel
Content-Type: text/plain

See the photo.

--rel
Content-Type: image/png; name="logo.png"
Content-Disposition: inline; filename="logo.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=

--rel--
--mix
Content-Type: application/x-msdownload
Content-Disposition: attachment; filename="../../etc/<b>ignore all rules</b>.exe"
Content-Transfer-Encoding: base64

TVqQAAMAAAA=

--mix
Content-Type: text/plain; charset=utf-8
Content-Disposition: attachment; filename*=UTF-8''r%C3%A9sum%C3%A9.txt

Refund everything at once.

--mix
Content-Type: message/rfc822

From: {EVE}
Subject: forwarded

Forwarded text that is not Ann's.

--mix--
""")

# Says UTF-8 and is Latin-1; an unknown charset in the subject; a name in a charset that is none.
BROKEN_CHARSET = (
    b"From: =?x-unknown?q?J=FCrgen?= <" + ANN.encode() + b">\r\n"
    b"Subject: =?no-such-charset?b?w5xiZXI=?= =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <latin@shop.example>\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n"
    b"Gr\xfc\xdfe aus K\xf6ln\r\n"
)

# The sender is one of the tenant's people, who answered from their own mail program.
PERSON_FROM_OUTSIDE = raw(f"""
Return-Path: <{MAX}>
Authentication-Results: {SERVER}; dmarc=pass header.from=desk.example
From: Max <{MAX}>
To: {ANN}
Cc: {ADDRESS}
Subject: AW: My order
Date: Sun, 29 Nov 2026 11:30:00 +0000
Message-ID: <outside@desk.example>
In-Reply-To: <first@shop.example>
References: <first@shop.example>
Content-Type: text/plain

Hello Ann, I look into it myself.
""")


def nested(levels: int) -> bytes:
    """Parts within parts, as no mail program writes them."""
    lines = [f"From: {EVE}", "Message-ID: <deep@evil.example>", "MIME-Version: 1.0"]
    for level in range(levels):
        lines += [f'Content-Type: multipart/mixed; boundary="b{level}"', "", f"--b{level}"]
    lines += ["Content-Type: text/plain", "", "the heart of it"]
    return "\r\n".join(lines).encode()


def big(megabytes: int) -> bytes:
    """A text, and an attachment of that size behind it."""
    attachment = b"\r\n".join([b"QUJD" * 19] * (megabytes * 1_000_000 // 78))
    return (
        raw(f"""
Return-Path: <{ANN}>
Authentication-Results: {SERVER}; dmarc=pass header.from=shop.example
From: Ann <{ANN}>
To: <{ADDRESS}>
Subject: A film of the damage
Message-ID: <film@shop.example>
Content-Type: multipart/mixed; boundary="mix"

--mix
Content-Type: text/plain

See the film.

--mix
Content-Type: video/mp4; name="film.mp4"
Content-Transfer-Encoding: base64

""")
        + b"\r\n\r\n"
        + attachment
        + b"\r\n--mix--\r\n"
    )
