package main

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// UserID identifies a user, who owns every row of this service.
type UserID [16]byte

// ID identifies an account or a transfer of a user.
type ID [16]byte

var errNotUUID = errors.New("not a UUID")

// UUIDValue makes pgx send the id as a uuid.
func (id UserID) UUIDValue() (pgtype.UUID, error) { return pgtype.UUID{Bytes: id, Valid: true}, nil }

// ScanUUID reads a uuid that is not NULL.
func (id *UserID) ScanUUID(v pgtype.UUID) error {
	if !v.Valid {
		return errNotUUID
	}
	*id = v.Bytes
	return nil
}

// UUIDValue makes pgx send the id as a uuid.
func (id ID) UUIDValue() (pgtype.UUID, error) { return pgtype.UUID{Bytes: id, Valid: true}, nil }

// ScanUUID reads a uuid that is not NULL.
func (id *ID) ScanUUID(v pgtype.UUID) error {
	if !v.Valid {
		return errNotUUID
	}
	*id = v.Bytes
	return nil
}

// String returns the canonical form.
func (id ID) String() string { return pgtype.UUID{Bytes: id, Valid: true}.String() }

// MarshalText returns the canonical form, for JSON.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText accepts only the canonical form, so that an id has one spelling.
func (id *ID) UnmarshalText(text []byte) error {
	var read ID
	if _, err := hex.Decode(read[:], []byte(strings.ReplaceAll(string(text), "-", ""))); err != nil || len(text) != 36 {
		return errNotUUID
	}
	if read.String() != string(text) {
		return errNotUUID
	}
	*id = read
	return nil
}
