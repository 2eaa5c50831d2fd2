-- What a host sets for a room (docs/protocol.md, room.settings).
ALTER TABLE rooms ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;       -- 1: nobody new enters
ALTER TABLE rooms ADD COLUMN lobby INTEGER NOT NULL DEFAULT 0;        -- 1: who is no host waits to be let in
ALTER TABLE rooms ADD COLUMN unmute TEXT NOT NULL DEFAULT 'all';      -- all, host: who may switch a microphone on
ALTER TABLE rooms ADD COLUMN tier_max TEXT NOT NULL DEFAULT '4k';     -- sd, hd, super_hd, 2k, 4k
ALTER TABLE rooms ADD COLUMN codec TEXT NOT NULL DEFAULT '';          -- vp8, h264, vp9, av1; '': as [media] codec says
