"""E-mail: a team that has only a mailbox, over IMAP and SMTP.

connector.py   EMAIL, what a tenant gives, and `Mailbox`, which waits for mail and reads it
desk.py        the port `Helpdesk` over the mailbox: a ticket is a thread of mails
imap.py        a small IMAP client, bounded in size and linear in time; wire.py is its grammar
reading.py     one mail as data: charsets, parts, attachments, hostile headers
threads.py     which ticket a mail belongs to; identity.py who wrote it, as our server proved
writing.py     one mail of ours; submission.py hands it to the SMTP server
"""
