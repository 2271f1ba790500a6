package rkv10

import (
	"database/sql"
	"encoding/json"
	"errors"
	"log"
	"net/http"

	"github.com/gin-gonic/gin"
)

func (s *server) goodLogged(w http.ResponseWriter, r *http.Request) {
	if err := s.load(); err != nil {
		log.Print("load: " + err.Error())
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}

func (s *server) goodSentinel(w http.ResponseWriter, r *http.Request) {
	err := s.load()
	if errors.Is(err, sql.ErrNoRows) {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
}

func (s *server) goodCompared(c *gin.Context) {
	err := s.load()
	if err == sql.ErrNoRows {
		c.JSON(404, errorResponse(err))
	}
}

func (s *server) goodDecoding(w http.ResponseWriter, r *http.Request) {
	var v struct{ Name string }
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func public(err error) gin.H {
	if errors.Is(err, sql.ErrNoRows) {
		return gin.H{"error": "not found"}
	}
	return gin.H{"error": "internal error"}
}

func (s *server) goodTranslated(c *gin.Context) {
	if err := s.load(); err != nil {
		c.JSON(500, public(err))
	}
}

func (s *server) goodStatus(w http.ResponseWriter, r *http.Request) {
	if s.load() != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
}
