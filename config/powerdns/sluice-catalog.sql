-- PowerDNS Authoritative Server 4.7 follows a catalog zone of Sluice, with the SQLite backend: it
-- takes up every zone that the catalog lists and drops those that it lists no more. Fill in what
-- stands in <angle brackets>, then:
--   sqlite3 /var/lib/powerdns/pdns.sqlite3 < sluice-catalog.sql
-- and in pdns.conf:
--   secondary=yes
-- PowerDNS signs no transfers of a catalog's members, so Sluice has to know this server by its
-- address (a secondary with access "source", or "either" with a key for the catalog).

INSERT INTO domains (name, master, type)
  VALUES ('<catalog>', '<primary-address>:<primary-port>', 'CONSUMER');
