// Package client sends the requests of a run: to one host, within a budget, and without
// leaving a secret in what it keeps.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/wire"
)

// ErrBudget is returned once all requests of the run are spent.
var ErrBudget = errors.New("the limit of requests is reached")

// maxAnswer is how much of a response is read.
const maxAnswer = 1 << 20

// A Request of a run.
type Request struct {
	Who    string // the principal, or "nobody"
	Method string
	Target string // path and query, encoded
	Header http.Header
	Body   []byte
}

// A Response with its body, decoded if it is JSON. Numbers are json.Number.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	JSON   any
}

// OK reports whether the status is of class 2.
func (r *Response) OK() bool { return r.Status/100 == 2 }

// A Client sends requests to one base URL.
type Client struct {
	Base    *url.URL
	Left    int                       // how many requests may still be sent
	Reserve int                       // how many of them are kept for cleaning up
	Keep    int                       // how many of them are kept for what comes later
	Observe func(Request, *Response)  // is told of each exchange
	Pause   func(time.Duration) error // waits, for Retry-After

	dialer    *net.Dialer
	allowHost string
	transport *http.Transport
	secrets   *secrets
}

// New returns a client for a service on this machine, or on a host that is allowed by
// name.
func New(base, allowHost string, budget int) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the address of the service must be like http://localhost:8080")
	}
	if u.User != nil || u.RawQuery != "" {
		return nil, errors.New("the address of the service must have no user and no query")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	c := &Client{Base: u, Left: budget, Reserve: budget / 10, allowHost: allowHost, dialer: &net.Dialer{Timeout: 10 * time.Second}, secrets: &secrets{}}
	c.transport = &http.Transport{DialContext: c.dial, MaxIdleConnsPerHost: 4, DisableCompression: true}
	return c, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// RoundTrip sends a request outside the budget, for the document. It follows no
// redirects.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) { return c.transport.RoundTrip(r) }

// dial refuses what is not on this machine, by the address that a name stands for.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if c.allowHost != "" && strings.EqualFold(host, c.allowHost) {
		return c.dialer.DialContext(ctx, network, addr)
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, ip := range ips {
		if !ip.IP.IsLoopback() {
			return nil, fmt.Errorf("%s is not on this machine; --allow-host %s permits it", host, host)
		}
	}
	var last error
	for _, ip := range ips {
		conn, err := c.dialer.DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// patience bounds how often and how long a service that asks to come later is waited for.
const (
	patience = 4
	longest  = 2 * time.Second
)

// Do sends a request. It repeats it while the service asks to come back later, and
// follows redirects on the same host.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	target := r.Target
	for hop, wait := 0, 0; ; {
		resp, err := c.once(ctx, r, target)
		if err != nil {
			return nil, err
		}
		if next := c.redirect(r, resp); next != "" && hop < 3 {
			hop, target = hop+1, next
			continue
		}
		pause, busy := later(resp)
		if wait++; !busy || wait > patience {
			return resp, nil
		}
		if err := c.Pause(pause); err != nil {
			return nil, err
		}
	}
}

func later(r *Response) (time.Duration, bool) {
	if r.Status != http.StatusServiceUnavailable && r.Status != http.StatusTooManyRequests {
		return 0, false
	}
	text := r.Header.Get("Retry-After")
	if text == "" {
		return 50 * time.Millisecond, true
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return longest, true
	}
	return min(time.Duration(n)*time.Second, longest), true
}

// redirect returns the target that a response sends to, if it is on the same host.
func (c *Client) redirect(r Request, resp *Response) string {
	switch resp.Status {
	case http.StatusPermanentRedirect, http.StatusTemporaryRedirect:
	case http.StatusMovedPermanently, http.StatusFound:
		if r.Method != http.MethodGet {
			return ""
		}
	default:
		return ""
	}
	to, err := c.Base.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" || to.Host != c.Base.Host || to.Scheme != c.Base.Scheme {
		return ""
	}
	return strings.TrimPrefix(to.RequestURI(), c.Base.Path)
}

func (c *Client) spend(n int) error {
	if c.Left-c.Reserve-c.Keep < n {
		return ErrBudget
	}
	c.Left -= n
	return nil
}

func (c *Client) once(ctx context.Context, r Request, target string) (*Response, error) {
	if err := c.spend(1); err != nil {
		return nil, err
	}
	req, err := c.request(ctx, r, target)
	if err != nil {
		return nil, err
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	return c.read(r, resp)
}

func (c *Client) request(ctx context.Context, r Request, target string) (*http.Request, error) {
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, c.Base.String()+target, body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	return req, nil
}

func (c *Client) read(r Request, resp *http.Response) (*Response, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	answer := &Response{Status: resp.StatusCode, Header: resp.Header, Body: body, JSON: Decode(body)}
	if c.Observe != nil {
		c.Observe(r, answer)
	}
	return answer, nil
}

// Decode returns a JSON value with numbers as they were written, or nil.
func Decode(body []byte) any {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil
	}
	return v
}

// Race sends all requests at once, each on a connection of its own. A response is nil
// if its connection broke.
func (c *Client) Race(ctx context.Context, requests []Request) ([]*Response, error) {
	if err := c.spend(len(requests)); err != nil {
		return nil, err
	}
	built := make([]*http.Request, len(requests))
	for i, r := range requests {
		req, err := c.request(ctx, r, r.Target)
		if err != nil {
			return nil, err
		}
		built[i] = req
	}
	raw, err := wire.Race(ctx, c.connect, built)
	if err != nil {
		return nil, err
	}
	answers := make([]*Response, len(raw))
	for i, resp := range raw {
		if resp == nil {
			continue
		}
		if answers[i], err = c.read(requests[i], resp); err != nil {
			answers[i] = nil
		}
	}
	return answers, nil
}

// connect opens a connection of its own.
func (c *Client) connect(ctx context.Context) (net.Conn, error) {
	host, port := c.Base.Hostname(), c.Base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[c.Base.Scheme]
	}
	conn, err := c.dial(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil || c.Base.Scheme == "http" {
		return conn, err
	}
	secure := tls.Client(conn, &tls.Config{ServerName: host})
	return secure, secure.HandshakeContext(ctx)
}
