// Package oddtypes has types for tests that hold, show or send less than a column
// has, as types of applications do.
package oddtypes

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// UUID is like github.com/google/uuid.UUID, but refuses NULL.
type UUID [16]byte

// Value implements driver.Valuer.
func (u UUID) Value() (driver.Value, error) { return hex.EncodeToString(u[:]), nil }

// Scan implements sql.Scanner.
func (u *UUID) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return errors.New("not a string")
	}
	_, err := hex.Decode(u[:], []byte(strings.ReplaceAll(s, "-", "")))
	return err
}

// NullIsZeroID reads NULL as zeros, as github.com/google/uuid.UUID does.
type NullIsZeroID [16]byte

// Value implements driver.Valuer.
func (u NullIsZeroID) Value() (driver.Value, error) { return UUID(u).Value() }

// Scan implements sql.Scanner.
func (u *NullIsZeroID) Scan(src any) error {
	if src == nil {
		return nil
	}
	return (*UUID)(u).Scan(src)
}

// ZeroIsNull sends 0 as NULL, and reads NULL as 0.
type ZeroIsNull int64

// Scan implements sql.Scanner.
func (n *ZeroIsNull) Scan(src any) error {
	v, _ := src.(int64)
	*n = ZeroIsNull(v)
	return nil
}

// Value implements driver.Valuer.
func (n ZeroIsNull) Value() (driver.Value, error) {
	if n == 0 {
		return nil, nil
	}
	return int64(n), nil
}

// DayOnly is a time that shows its day only in JSON.
type DayOnly struct{ time.Time }

// Scan implements sql.Scanner.
func (d *DayOnly) Scan(src any) error {
	at, ok := src.(time.Time)
	if !ok {
		return fmt.Errorf("%T is no time", src)
	}
	d.Time = at
	return nil
}

// Value implements driver.Valuer.
func (d DayOnly) Value() (driver.Value, error) { return d.Time, nil }

// MarshalJSON implements json.Marshaler.
func (d DayOnly) MarshalJSON() ([]byte, error) { return json.Marshal(d.Format("2006-01-02")) }

// UnmarshalJSON implements json.Unmarshaler.
func (d *DayOnly) UnmarshalJSON(b []byte) (err error) {
	d.Time, err = time.Parse(`"2006-01-02"`, string(b))
	return err
}

// Masked hides its text in JSON.
type Masked string

// MarshalJSON implements json.Marshaler.
func (Masked) MarshalJSON() ([]byte, error) { return []byte(`"***"`), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Masked) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, (*string)(m)) }

// Lowered reads text in lower case.
type Lowered string

// Scan implements sql.Scanner.
func (l *Lowered) Scan(src any) error {
	*l = Lowered(strings.ToLower(fmt.Sprint(src)))
	return nil
}

// Value implements driver.Valuer.
func (l Lowered) Value() (driver.Value, error) { return string(l), nil }

// Shape is a struct that drops unknown members of a JSON object.
type Shape struct{ A int }
