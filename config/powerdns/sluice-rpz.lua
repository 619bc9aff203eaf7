-- PowerDNS Recursor (4.6 to 4.9) enforces a DNS policy of Sluice. Fill in what stands in
-- <angle brackets>, and name this file in recursor.conf:
--   lua-config-file=/etc/powerdns/sluice-rpz.lua
-- The file holds a secret: owner root, group pdns, mode 0640.

rpzPrimary({"<primary-address>:<primary-port>"}, "<zone>", {
  -- Leave out the three lines with `tsig` where Sluice knows this device by its address alone.
  tsigname = "<key-name>",
  tsigalgo = "<key-algorithm>",
  tsigsecret = "<key-secret>",

  -- The Recursor takes no NOTIFY before version 5.1: it asks for the serial every so many seconds
  -- instead of every 15 minutes as the SOA says. Asking costs one small packet.
  refresh = <refresh-seconds>,

  -- The whole transfer must be in by then. The default of 20 s is little for a big zone on a slow
  -- line, and the Recursor would begin again and again.
  axfrTimeout = 300,

  -- The address that Sluice knows this device by, where it has several.
  localAddress = "<own-address>",

  -- Kept on disk, so that the policy holds from the first query after a restart.
  seedFile = "<state-folder>/<zone>.rpz",
  dumpFile = "<state-folder>/<zone>.rpz",
})
