-- PowerDNS Authoritative Server 4.7 as a secondary of a zone of Sluice (an IP list, so that
-- firewalls near it pull from it), with the SQLite backend. Fill in what stands
-- in <angle brackets>, then:
--   sqlite3 /var/lib/powerdns/pdns.sqlite3 < sluice-secondary.sql
-- and in pdns.conf, for it to follow NOTIFY and to look by itself:
--   secondary=yes
-- A file rather than `pdnsutil import-tsig-key`, which puts the secret on a command line.

INSERT INTO domains (name, master, type)
  VALUES ('<zone>', '<primary-address>:<primary-port>', 'SLAVE');

-- Leave out what follows where Sluice knows this device by its address alone, and the first of the
-- two lines from the second zone on.
INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('<key-name>', '<key-algorithm>', '<key-secret>');
INSERT INTO domainmetadata (domain_id, kind, content) SELECT id, 'AXFR-MASTER-TSIG', '<key-name>' FROM domains WHERE name = '<zone>';
