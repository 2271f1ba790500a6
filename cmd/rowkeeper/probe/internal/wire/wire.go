// Package wire sends several requests so that a service gets them at the same moment.
//
// Each request has a connection of its own. All bytes but the last are written first,
// so that the service has read and scheduled everything when the last bytes follow
// together. HTTP/1.1 only.
package wire

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
)

// Race sends the requests and returns their responses in the same order, with bodies
// that are in memory. A response is nil if its connection failed. It is an error if a
// connection cannot be opened.
func Race(ctx context.Context, dial func(context.Context) (net.Conn, error), requests []*http.Request) ([]*http.Response, error) {
	lines := make([]*line, 0, len(requests))
	defer func() {
		for _, l := range lines {
			l.conn.Close()
		}
	}()
	for _, r := range requests {
		l, err := open(ctx, dial, r)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	release := make(chan struct{})
	responses := make([]*http.Response, len(lines))
	var done sync.WaitGroup
	for i, l := range lines {
		done.Go(func() {
			<-release
			responses[i] = l.finish()
		})
	}
	stop := context.AfterFunc(ctx, func() {
		for _, l := range lines {
			l.conn.Close()
		}
	})
	defer stop()
	close(release)
	done.Wait()
	return responses, ctx.Err()
}

// A line is a connection on which all but the last byte of a request was sent.
type line struct {
	conn    net.Conn
	request *http.Request
	last    []byte
}

func open(ctx context.Context, dial func(context.Context) (net.Conn, error), r *http.Request) (*line, error) {
	var text bytes.Buffer
	r.Close = true
	if err := r.Write(&text); err != nil {
		return nil, err
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a connection without one is closed with ctx
	}
	end := text.Len() - 1
	if _, err := conn.Write(text.Bytes()[:end]); err != nil {
		conn.Close()
		return nil, err
	}
	return &line{conn, r, text.Bytes()[end:]}, nil
}

const maxAnswer = 1 << 20

// finish sends the last byte and reads the response.
func (l *line) finish() *http.Response {
	if _, err := l.conn.Write(l.last); err != nil {
		return nil
	}
	resp, err := http.ReadResponse(bufio.NewReader(l.conn), l.request)
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	resp.Body.Close()
	if err != nil {
		return nil
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp
}
