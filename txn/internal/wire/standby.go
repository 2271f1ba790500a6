package wire

import (
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// standbys knows whether COMMIT may wait for a synchronous standby, by the setting of
// PostgreSQL. If it cannot, COMMIT is sent among the other statements of its packet, and
// one answer wakes the caller once. If it may, or nothing is known, COMMIT trails.
//
// The setting is shown again after a while. If it has changed meanwhile, the commit
// watchdog may cut a wait short; the server says so, and the outcome is unknown.
type standbys struct {
	none  bool // as far as is known
	asked time.Time
	shown pgconn.Result
}

const (
	showStandbys = "show synchronous_standby_names"
	showAgain    = time.Minute
)

// asks reports whether the setting is to be shown in a packet that is made now. Then
// nothing is known until it is answered.
func (s *standbys) asks() bool {
	now := time.Now()
	if !s.asked.IsZero() && now.Sub(s.asked) < showAgain {
		return false
	}
	s.asked, s.none, s.shown = now, false, pgconn.Result{}
	return true
}

// learn reads the answer.
func (s *standbys) learn() {
	rows := s.shown.Rows
	s.none = len(rows) == 1 && len(rows[0]) == 1 && len(rows[0][0]) == 0
}

// noticeAtCommit keeps the warning that a COMMIT among other statements did not wait for
// a standby, of which the session did not know.
func (s *Session) noticeAtCommit(msg *pgproto3.NoticeResponse) {
	if s.packet.trailing.notice(msg); s.packet.trailing.cut != nil {
		s.standbys.none = false
	}
}
