package oas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Load reads a document from a file or a URL, with the files that it refers to in its
// own folder, or the documents on its own host. It reads nothing else. Documents behind
// URLs are read with get.
func Load(ctx context.Context, location string, get http.RoundTripper) (*Document, error) {
	at, err := locate(location)
	if err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx, get: get, root: at}
	l := openapi3.NewLoader()
	l.Context, l.IncludeOrigin, l.IsExternalRefsAllowed = ctx, true, true
	l.ReadFromURIFunc = func(_ *openapi3.Loader, u *url.URL) ([]byte, error) { return r.read(u) }
	t, err := l.LoadFromURI(at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", location, err)
	}
	if !strings.HasPrefix(t.OpenAPI, "3.") {
		return nil, fmt.Errorf("%s: not an OpenAPI 3 document", location)
	}
	d, err := convert(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", location, err)
	}
	d.texts = r.texts
	return d, nil
}

func locate(location string) (*url.URL, error) {
	if u, err := url.Parse(location); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return u, nil
	}
	name, err := filepath.Abs(location)
	if err != nil {
		return nil, err
	}
	return &url.URL{Path: filepath.ToSlash(name)}, nil
}

// reader reads the files of one document.
type reader struct {
	ctx   context.Context
	get   http.RoundTripper
	root  *url.URL
	texts [][]byte
	size  int
}

var errOutside = errors.New("a reference leaves the document's own folder or host, which is not followed")

func (r *reader) read(u *url.URL) ([]byte, error) {
	open := r.open
	if r.root.Host != "" {
		open = r.fetch
	}
	body, err := open(u)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, int64(MaxBytes-r.size)+1))
	if err != nil {
		return nil, err
	}
	if r.size += len(text); r.size > MaxBytes {
		return nil, fmt.Errorf("the document is larger than %d bytes", MaxBytes)
	}
	r.texts = append(r.texts, text)
	return text, nil
}

func (r *reader) open(u *url.URL) (io.ReadCloser, error) {
	if u.Host != "" || u.Scheme != "" && u.Scheme != "file" {
		return nil, fmt.Errorf("%s: %w", u.Redacted(), errOutside)
	}
	folder, err := filepath.EvalSymlinks(filepath.FromSlash(path.Dir(r.root.Path)))
	if err != nil {
		return nil, err
	}
	name, err := filepath.EvalSymlinks(filepath.FromSlash(u.Path))
	if err != nil {
		return nil, err
	}
	if below, err := filepath.Rel(folder, name); err != nil || !filepath.IsLocal(below) {
		return nil, fmt.Errorf("%s: %w", u.Path, errOutside)
	}
	return os.Open(name)
}

func (r *reader) fetch(u *url.URL) (io.ReadCloser, error) {
	if u.Scheme != r.root.Scheme || u.Host != r.root.Host {
		return nil, fmt.Errorf("%s: %w", u.Redacted(), errOutside)
	}
	req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.get.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: status %d", u.Redacted(), resp.StatusCode)
	}
	return resp.Body, nil
}
