/* Room, fence, rails and failover as a model for spin: one source agent, one target agent, two rooms
 * that use the same pages and the same slot one after the other, two rails. Every order of events and
 * every loss, stop and death within the budgets below is tried. docs/design/room-model.md says what
 * stands for what in the code, and what is left out.
 *
 *   spin -a room.pml && gcc -O2 -DCOLLAPSE -DSAFETY -DNOCLAIM -o pan pan.c && ./pan -m10000
 *
 * -DLOCAL=1: tcp and shm, where the target's own worker writes the pages. -DBREAK=n plants a fault
 * (model_test.py lists them); each must be found. */

#ifndef BREAK
#define BREAK 0
#endif
#ifndef LOCAL
#define LOCAL 0
#endif
#ifndef LOSSES
#define LOSSES 1 /* rails that break */
#endif
#ifndef CUTS
#define CUTS 1 /* of the streams between the agents, or deaths of an agent */
#endif
#ifndef RENEWALS
#define RENEWALS 1 /* new queue pairs on a rail that was retired */
#endif

#define RAILS 2 /* part p goes over rail p at first */
/* Room 0 has two parts, room 1 one: it is there to be hurt by what room 0 leaves behind, and fails
 * only where it could not go on; so the model stays small enough to be searched whole. */
#define ROOMS 2
#define ALL(r) (3 - 2 * (r)) /* its parts, as a set */
#define BIT(p) (1 << (p))

/* Control messages. */
mtype = { Offer, Sent, Refused, Failed, Landed, Fence, Fenced, Retire, Retired };
/* States as in source_states.h and target_states.h; sNone, tNone: the room does not exist yet. */
mtype:source = { sNone, sHeld, sOpen, sMatched, sSent, sDone, sStopping, sFailed };
mtype:target = { tNone, tOffered, tLanded, tFencing, tFailed };
/* A queue pair: at the target qDestroying means that destroy was called and has not returned. */
mtype:pair = { qUp, qError, qDestroying, qGone };

chan to_source_urgent = [5] of { mtype, byte, byte };
chan to_source_bulk = [2] of { mtype, byte, byte };
chan to_target_urgent = [5] of { mtype, byte, byte };
chan to_target_bulk = [2] of { mtype, byte, byte };
/* What is on its way, in order: room, part. A part is its data and the immediate that follows it on the
 * same pair: one lands with the other. */
chan net[RAILS] = [3] of { byte, byte };

mtype:source s[ROOMS];
mtype:target t[ROOMS];
mtype:pair s_pair[RAILS];
mtype:pair t_pair[RAILS];

/* The source's leg: sets of parts. */
byte posted[ROOMS];
byte acked[ROOMS];
byte rail_of[3]; /* of part p of room r: rail_of[2 * r + p] */
bit computed;    /* the engine has finished the chunk that is part 1 of room 0 */
bit fence_asked[ROOMS];
bit remembered;  /* room 0 failed here before its offer came */
bit retiring[RAILS]; /* the target was asked to destroy its pair */

/* The target's leg. */
byte arrived[ROOMS]; /* parts whose immediate has come */
bit sent_came[ROOMS];
byte slot_room;
bit must_destroy[ROOMS]; /* the fence needs it */
bit retire_asked[RAILS];

/* The memory and its owner, as the decode engine sees them. */
byte memory[ROOMS]; /* parts whose data is in the pages */
byte owner;

byte losses = LOSSES;
byte cuts = CUTS;
byte renewals = RENEWALS;
bit cut;      /* no frame passes between the agents any more */
bit s_knows;  /* of the cut */
bit s_dead;
bit t_dead;
bit t_buried; /* its pidfd reads dead: the kernel has closed everything */
#ifdef GHOST
bit resent; /* a part went over the other rail */
#endif
#ifdef ENDLESS
bit asks; /* a fence that is asked for again and again, though nobody answers */
#endif

#define TERMINAL_S(r) (s[r] == sDone || s[r] == sFailed)
#define TERMINAL_T(r) (t[r] == tLanded || t[r] == tFailed)
/* libbaton says so to the decode engine: the pages of room 0 may be used for something else. */
#define FREED                                                              \
  (TERMINAL_T(0) || t_buried || (BREAK == 16 && t_dead) || (BREAK == 11 && t[0] == tFencing))

/* A frame is numbered, kept and replayed until it is acknowledged, so that it arrives once and in
 * order, unless the peer is lost for good. The queues are bounded: that is checked, not assumed. */
inline Tell(channel, message, room, more) {
  if
  :: !cut -> assert(nfull(channel)); channel!message, room, more
  :: else
  fi
}

/* What can make no difference any more gets one value: fewer states, the same histories. */
inline ForgetLeg(r) {
  arrived[r] = 0;
  sent_came[r] = 0;
  must_destroy[r] = 0;
  memory[r] = 0
}

inline Stopped(r) {
  posted[r] = posted[r] & ~acked[r]; /* of which nobody knows */
  acked[r] = 0
}

inline Empty(channel) {
  do
  :: nempty(channel) -> channel?_, _, _
  :: empty(channel) -> break
  od
}

inline Cut() {
  cuts--;
  cut = 1;
  Empty(to_source_urgent);
  Empty(to_source_bulk);
  Empty(to_target_urgent);
  Empty(to_target_bulk);
  retiring[0] = 0;
  retiring[1] = 0;
  retire_asked[0] = 0;
  retire_asked[1] = 0;
  fence_asked[0] = 0;
  fence_asked[1] = 0;
  remembered = 0
}

/* ---- The rails: the network and both adapters. */

/* What a part does at the target. NothingStale is judged here. */
inline Land(room, part) {
  if
  :: LOCAL && t[room] != tOffered && BREAK != 17 /* no window: read and dropped */
  :: else ->
    assert(owner == room && !TERMINAL_T(room) && !(room == 0 && FREED));
    memory[room] = memory[room] | BIT(part);
    if
    :: slot_room == room -> arrived[room] = arrived[room] | BIT(part)
    :: else /* an immediate of another generation: counted and dropped */
    fi
  fi
}

proctype Rail(byte rail) {
  byte room, part;
end:
  do
  :: d_step {
      net[rail]?room, part ->
      if
      :: t_pair[rail] == qGone && s_pair[rail] == qUp -> s_pair[rail] = qError
      :: t_pair[rail] == qGone && s_pair[rail] != qUp
      :: t_pair[rail] != qGone ->
        Land(room, part);
        /* The acknowledgement reaches a source whose pair still stands. */
        if
        :: s_pair[rail] == qUp -> acked[room] = acked[room] | BIT(part)
        :: else
        fi
      fi;
      room = 0; part = 0
    }
  :: d_step { /* the rail breaks; what is on its way may arrive all the same */
      losses > 0 && s_pair[rail] == qUp && nempty(net[rail]) ->
      losses--;
      s_pair[rail] = qError
    }
  od
}

/* ---- The source's agent. */

#define ACTIVE(r) (s[r] == sMatched || s[r] == sSent)
#define RAIL(r, p) (rail_of[2 * (r) + (p)])
#define HAS(set, p) (((set) & BIT(p)) != 0)
/* Parts that were posted and of which no completion has come. A pair in error has flushed its own. */
#define WAITS(r, p) (HAS(posted[r] & ~acked[r], p) && s_pair[RAIL(r, p)] == qUp)
#define DRAINED(r) (!WAITS(r, 0) && ((r) == 1 || !WAITS(0, 1)))
/* A flushed completion does not say that the write will not land. */
#define CLEAN(r) (BREAK == 1 || BREAK == 2 || (posted[r] & ~acked[r]) == 0)
#define READY(r, p) (ACTIVE(r) && !HAS(posted[r], p) && ((p) == 0 || computed))

inline PostPart(r, p) {
  if
  :: READY(r, p) && s_pair[RAIL(r, p)] == qGone -> rail_of[2 * (r) + (p)] = 1 - RAIL(r, p)
  :: else
  fi;
  if
  :: READY(r, p) && s_pair[RAIL(r, p)] == qUp ->
    posted[r] = posted[r] | BIT(p);
    assert(nfull(net[RAIL(r, p)]));
    net[RAIL(r, p)]!r, p
  :: else
  fi
}

/* What follows at once from what has come: PumpRoom, MaybeFinish. */
inline Pump(r) {
  PostPart(r, 0);
  if :: r == 0 -> PostPart(0, 1) :: else fi;
  if
  :: s[r] == sMatched && posted[r] == ALL(r) ->
    s[r] = sSent;
    Tell(to_target_bulk, Sent, r, 0)
  :: else
  fi
}

inline SourceFail(r) {
  if :: s[r] != sOpen -> Tell(to_target_urgent, Failed, r, 0) :: else fi;
  s[r] = sStopping
}

inline OnOffer(r) {
  if
  :: s[r] == sNone && (!remembered || BREAK == 15) -> s[r] = sHeld
  :: s[r] == sOpen -> s[r] = sMatched; Pump(r)
  :: else -> Tell(to_target_urgent, Refused, r, 0)
  fi
}

inline OnFence(r) {
  fence_asked[r] = 1;
  if
  :: s[r] == sNone -> remembered = 1
  :: s[r] != sNone && !TERMINAL_S(r) && BREAK != 14 -> s[r] = sStopping
  :: else
  fi
}

inline OnLanded(r) {
  if
  :: s[r] == sSent -> assert(t[r] == tLanded); s[r] = sDone; Stopped(r)
  :: else
  fi
}

/* The target destroyed the rail's pair: what has not arrived goes over the other one. */
inline Move(r, p, rail) {
  if
  :: RAIL(r, p) == rail && HAS(posted[r] & ~acked[r], p) ->
    posted[r] = posted[r] & ~BIT(p);
    rail_of[2 * (r) + (p)] = 1 - rail;
#ifdef GHOST
    if :: ACTIVE(r) -> resent = 1 :: else fi
#endif
  :: else
  fi
}

inline MoveAll(rail) {
  s_pair[rail] = qGone;
  retiring[rail] = 0;
  Move(0, 0, rail);
  Move(0, 1, rail);
  Move(1, 0, rail);
  Pump(0);
  Pump(1)
}

inline OnRetired(rail, seen) { /* seen: the room that has the slot, and its parts that arrived */
  if
  :: s_pair[rail] == qError ->
    if
    :: BREAK != 9 -> acked[seen / 4] = acked[seen / 4] | (seen % 4)
    :: else
    fi;
    MoveAll(rail)
  :: else
  fi
}

#define SOURCE_STUCK (cut || (s_pair[0] != qUp && s_pair[1] != qUp))

#define SOURCE_ROOM(r)                                                                        \
  :: atomic {                                                                                 \
    !s_dead && BREAK != 13 && ((r) == 0 || SOURCE_STUCK) &&                                   \
        (s[r] == sHeld || s[r] == sOpen || ACTIVE(r)) -> /* abort, deadline */                \
    SourceFail(r)                                                                             \
  }                                                                                           \
  :: d_step { !s_dead && s[r] == sStopping && DRAINED(r) -> s[r] = sFailed; Stopped(r) }     \
  :: atomic {                                                                                 \
    !s_dead && fence_asked[r] && (DRAINED(r) || BREAK == 1) ->                                \
    fence_asked[r] = 0;                                                                       \
    if                                                                                        \
    :: CLEAN(r) -> Tell(to_target_urgent, Fenced, r, 1)                                       \
    :: else -> Tell(to_target_urgent, Fenced, r, 0)                                           \
    fi                                                                                        \
  }

#define SOURCE_RAIL(rail)                                                                     \
  :: atomic {                                                                                 \
    !s_dead && !s_knows && s_pair[rail] == qError && !retiring[rail] ->                       \
    if                                                                                        \
    :: BREAK == 6 -> MoveAll(rail)                                                            \
    :: else -> retiring[rail] = 1; Tell(to_target_urgent, Retire, rail, 0)                    \
    fi                                                                                        \
  }

proctype Source() {
  byte room, more;
  mtype message;
end:
  do
  :: s_dead -> break
  :: atomic {
      !s_dead && !cut && nempty(to_source_bulk) ->
      to_source_bulk?message, room, more;
      assert(message == Offer);
      OnOffer(room);
      message = 0; room = 0; more = 0
    }
  :: atomic {
      !s_dead && !cut && nempty(to_source_urgent) ->
      to_source_urgent?message, room, more;
      if
      :: message == Landed -> OnLanded(room)
      :: message == Fence -> OnFence(room)
      :: message == Retired -> OnRetired(room, more)
      fi;
      message = 0; room = 0; more = 0
    }
  :: d_step { /* the target is silent: it is lost, for ever */
      !s_dead && cut && !s_knows ->
      s_knows = 1;
      s_pair[0] = qError;
      s_pair[1] = qError
    }
  :: atomic { /* the engine */
      !s_dead && (s[0] == sNone || s[0] == sHeld) ->
      if
      :: s[0] == sNone && !remembered -> s[0] = sOpen
      :: s[0] == sNone && remembered -> s[0] = sFailed
      :: s[0] == sHeld -> s[0] = sMatched; Pump(0)
      fi
    }
  :: atomic { !s_dead && !computed && ACTIVE(0) -> computed = 1; Pump(0) }
  SOURCE_ROOM(0)
  SOURCE_ROOM(1)
  SOURCE_RAIL(0)
  SOURCE_RAIL(1)
  :: atomic { /* rail 0 gets a new pair for room 1, once nothing of the old one can be on its way */
      !s_dead && !t_dead && !cut && renewals > 0 && TERMINAL_T(0) && t[1] != tFencing &&
          s_pair[0] == qGone && t_pair[0] == qGone && (BREAK == 8 || empty(net[0])) ->
      renewals--;
      s_pair[0] = qUp;
      t_pair[0] = qUp;
      Pump(0);
      Pump(1)
    }
  od
}

/* ---- The target's agent. */

#define ALL_PAIRS(state) (t_pair[0] == state && t_pair[1] == state)
#define NO_PAIR(state) (t_pair[0] != state && t_pair[1] != state)

inline TargetFail(r) {
  Tell(to_source_urgent, Fence, r, 0);
  if
  :: LOCAL || BREAK == 4 -> t[r] = tFailed; ForgetLeg(r) /* LOCAL: the window is closed */
  :: else -> t[r] = tFencing
  fi
}

inline Destroy(rail) {
  if :: t_pair[rail] == qUp -> t_pair[rail] = qDestroying :: else fi
}

#define ALL_IN(r)                      \
  (t[r] == tOffered && sent_came[r] && \
   (BREAK == 10 || arrived[r] == ALL(r)))

#define TARGET_ROOM(r)                                                                        \
  :: atomic { /* abort, deadline, peer lost */                                                \
    !t_dead && t[r] == tOffered && ((r) == 0 || cut) -> TargetFail(r)                         \
  }                                                                                           \
  :: atomic {                                                                                 \
    !t_dead && ALL_IN(r) ->                                                                   \
    assert(memory[r] == ALL(r)); /* LandedMeansAll */                                         \
    t[r] = tLanded;                                                                           \
    ForgetLeg(r);                                                                             \
    Tell(to_source_urgent, Landed, r, 0)                                                      \
  }                                                                                           \
  :: d_step { /* no answer in time, or the source is lost */                                  \
    !t_dead && t[r] == tFencing && !must_destroy[r] && BREAK != 12 ->                         \
    must_destroy[r] = 1;                                                                      \
    Destroy(0);                                                                               \
    Destroy(1)                                                                                \
  }                                                                                           \
  :: d_step {                                                                                 \
    !t_dead && t[r] == tFencing && must_destroy[r] &&                                         \
        (ALL_PAIRS(qGone) || (BREAK == 3 && NO_PAIR(qUp))) ->                                 \
    t[r] = tFailed;                                                                           \
    ForgetLeg(r)                                                                              \
  }

#define TARGET_RAIL(rail)                                                                     \
  :: atomic {                                                                                 \
    !t_dead && retire_asked[rail] && (t_pair[rail] == qGone || BREAK == 7) ->                 \
    retire_asked[rail] = 0;                                                                   \
    Tell(to_source_urgent, Retired, rail, slot_room * 4 + arrived[slot_room])                 \
  }

inline OnFenced(r, clean) {
  if
  :: t[r] == tFencing && clean -> t[r] = tFailed; ForgetLeg(r)
  :: t[r] == tFencing && !clean -> must_destroy[r] = 1; Destroy(0); Destroy(1)
  :: else
  fi
}

inline OpenNext() {
  t[1] = tOffered;
  owner = 1;
  slot_room = 1;
  Tell(to_source_bulk, Offer, 1, 0)
}

proctype Target() {
  byte room, more;
  mtype message;
end:
  do
  :: t_dead -> break
  :: atomic { !t_dead && t[1] == tNone && (TERMINAL_T(0) || (BREAK == 5 && t[0] == tFencing)) -> OpenNext() }
  :: atomic {
      !t_dead && !cut && nempty(to_target_bulk) ->
      to_target_bulk?message, room, more;
      assert(message == Sent);
      if :: t[room] == tOffered -> sent_came[room] = 1 :: else fi;
      message = 0; room = 0; more = 0
    }
  :: atomic {
      !t_dead && !cut && nempty(to_target_urgent) ->
      to_target_urgent?message, room, more;
      if
      :: (message == Refused || message == Failed) && t[room] == tOffered -> TargetFail(room)
      :: message == Fenced -> OnFenced(room, more)
      :: message == Retire -> retire_asked[room] = 1; Destroy(room)
      :: else
      fi;
      message = 0; room = 0; more = 0
    }
#ifdef ENDLESS
  :: d_step { !t_dead && t[0] == tFencing -> asks = 1 - asks }
#endif
  :: d_step { /* destroy returns */
      !t_dead && (t_pair[0] == qDestroying || t_pair[1] == qDestroying) ->
      if :: t_pair[0] == qDestroying -> t_pair[0] = qGone :: else fi;
      if :: t_pair[1] == qDestroying -> t_pair[1] = qGone :: else fi
    }
  TARGET_ROOM(0)
  TARGET_ROOM(1)
  TARGET_RAIL(0)
  TARGET_RAIL(1)
  od
}

/* A stop needs no action of its own: any process may do nothing for any time. */
proctype Faults() {
end:
  do
  :: d_step { cuts > 0 -> Cut() }
  :: d_step {
      cuts > 0 ->
      Cut();
      s_dead = 1;
      s_knows = 1;
      s[0] = sNone; s[1] = sNone;
      s_pair[0] = qGone; s_pair[1] = qGone;
      posted[0] = 0; posted[1] = 0;
      acked[0] = 0; acked[1] = 0;
      computed = 0
    }
  :: d_step { cuts > 0 -> Cut(); t_dead = 1 }
  /* At the end of a process the kernel closes its queue pairs, then tells its pidfd. */
  :: d_step { t_dead && !ALL_PAIRS(qGone) -> t_pair[0] = qGone; t_pair[1] = qGone }
  :: d_step { t_dead && ALL_PAIRS(qGone) && !t_buried -> t_buried = 1 }
  od
}

#define SOURCE_OVER (s_dead || (TERMINAL_S(0) && TERMINAL_S(1)))
#define TARGET_OVER (t_buried || (TERMINAL_T(0) && TERMINAL_T(1)))

/* Nothing can happen any more: then everything has ended (no deadlock, BothSidesLearn). */
proctype Monitor() {
end:
  timeout -> assert(SOURCE_OVER && TARGET_OVER)
}

init {
  d_step {
    s[0] = sNone;
    s[1] = sOpen;
    t[0] = tOffered;
    t[1] = tNone;
    s_pair[0] = qUp;
    s_pair[1] = qUp;
    t_pair[0] = qUp;
    t_pair[1] = qUp;
    rail_of[1] = 1;
    to_source_bulk!Offer, 0, 0
  }
  atomic {
    run Rail(0);
    run Rail(1);
    run Source();
    run Target();
    run Faults();
    run Monitor()
  }
}

/* Every history gets there. NothingStale and LandedMeansAll are assertions: where bytes land, and
 * where a room becomes landed. */
ltl both_sides_learn { <> (SOURCE_OVER && TARGET_OVER) }
#ifdef GHOST
/* Each of these is false: what they say never happens does happen in the model. */
ltl never_fails_over { [] !(resent && t[0] == tLanded) }
ltl never_lands_on_a_renewed_pair { [] !(renewals == 0 && t[0] == tFailed && t[1] == tLanded) }
ltl never_ends_by_death { [] !(t_buried && s[0] == sFailed && memory[0] != 0) }
#endif
