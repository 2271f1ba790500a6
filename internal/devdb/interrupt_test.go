package devdb

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An interrupted start, also in the middle of initdb, leaves no file, no process
// and no shared memory, and reports the interruption.
func TestInterruptedStartLeavesNothing(t *testing.T) {
	if os.Getenv(EnvURL) != "" || !available(PostgreSQL) {
		t.Skip("PostgreSQL is not started here")
	}
	t.Setenv(EnvEngine, string(PostgreSQL))
	found, err := Find()
	require.NoError(t, err)
	for _, sign := range []string{"initdb.TERM", "postgres.QUIT"} {
		t.Run(sign, func(t *testing.T) {
			temp, err := os.MkdirTemp("/tmp", "devdb") // short enough for a socket
			require.NoError(t, err)
			defer os.RemoveAll(temp)
			require.NoError(t, os.Chmod(temp, 0o755))
			t.Setenv("TMPDIR", temp)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			ended := make(chan error, 1)
			go func() {
				srv, err := found[0].Start(ctx)
				if err == nil {
					srv.Stop()
				}
				ended <- err
			}()
			var key int32
			require.Eventually(t, func() bool {
				signs, _ := filepath.Glob(filepath.Join(temp, "*", "pg", sign))
				if len(signs) == 0 {
					return false
				}
				data := filepath.Join(filepath.Dir(signs[0]), "data")
				if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err != nil {
					return false // initdb is not yet in the middle
				}
				key = shmKey(data)
				return key != 0 && (!knowsSegments() || hasSegment(key))
			}, patience, time.Millisecond, sign)
			interrupt()
			require.ErrorIs(t, <-ended, context.Canceled)
			left, err := os.ReadDir(temp)
			require.NoError(t, err)
			require.Empty(t, left)
			require.False(t, hasSegment(key), "shared memory is left")
		})
	}
}

// shmKey returns the key of the segment that PostgreSQL creates for a data
// directory: the directory's inode. It is 0 if there is none.
func shmKey(data string) int32 {
	info, err := os.Stat(data)
	if err != nil {
		return 0
	}
	return int32(info.Sys().(*syscall.Stat_t).Ino)
}

const segments = "/proc/sysvipc/shm"

func knowsSegments() bool {
	_, err := os.Stat(segments)
	return err == nil
}

// hasSegment reports whether there is shared memory with the key, if the system
// shows it.
func hasSegment(key int32) bool {
	text, _ := os.ReadFile(segments)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] == strconv.Itoa(int(key)) {
			return true
		}
	}
	return false
}
