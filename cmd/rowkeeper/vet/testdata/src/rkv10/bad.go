package rkv10

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
)

type server struct{ db *sql.DB }

func (s *server) badError(w http.ResponseWriter, r *http.Request) {
	if _, err := s.db.Exec("delete from a"); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError) // want `RKV10 err-to-client`
	}
}

func (s *server) badFormatted(w http.ResponseWriter, r *http.Request) {
	var n int
	if err := s.db.QueryRow("select 1").Scan(&n); err != nil {
		fmt.Fprintf(w, "failed: %v", err) // want `RKV10`
	}
}

func (s *server) badWrapped(w http.ResponseWriter, r *http.Request) {
	err := s.load()
	if err != nil {
		w.Write([]byte("load: " + err.Error())) // want `RKV10`
	}
}

func (s *server) load() error {
	if _, err := s.db.Exec("select 1"); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return nil
}

func errorResponse(err error) gin.H { return gin.H{"error": err.Error()} }

func (s *server) badGin(c *gin.Context) {
	if err := s.load(); err != nil {
		c.JSON(500, errorResponse(err)) // want `RKV10`
	}
}

type problem struct{ Detail string }

func (s *server) badJSON(w http.ResponseWriter, r *http.Request) {
	if err := s.load(); err != nil {
		json.NewEncoder(w).Encode(problem{Detail: err.Error()}) // want `RKV10`
	}
}

type withStore struct{ store loader }

type loader interface{ load() error }

func (s *withStore) badInterface(c *gin.Context) {
	if err := s.store.load(); err != nil {
		c.JSON(500, gin.H{"error": err.Error()}) // want `RKV10`
	}
}
