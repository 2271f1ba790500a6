package rkv16

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"
)

type newUser struct {
	Name string `json:"name"`
}

func (s *server) goodRequestStruct(w http.ResponseWriter, r *http.Request) {
	var u newUser
	if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
		return
	}
	s.db.Exec("insert into users (name, role) values ($1, $2)", u.Name, "member")
}

func (s *server) goodSetAgain(w http.ResponseWriter, r *http.Request) {
	var u User
	if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
		return
	}
	u.Role = "member"
	s.db.Exec("insert into users (name, role) values ($1, $2)", u.Name, u.Role)
}

func (s *server) goodHidden(w http.ResponseWriter, r *http.Request) {
	var u User
	if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
		return
	}
	s.db.Exec("insert into users (name, hidden) values ($1, $2)", u.Name, u.Hidden)
}

func (s *server) goodCondition(c *gin.Context) {
	var a Account
	if err := c.ShouldBindJSON(&a); err != nil {
		return
	}
	s.db.Exec("update accounts set name = $1 where user_id = $2", a.Name, a.UserID)
}

func goodNoRequest(s *server, text []byte) error {
	var u User
	if err := json.Unmarshal(text, &u); err != nil {
		return err
	}
	_, err := s.db.Exec("insert into users (name, role) values ($1, $2)", u.Name, u.Role)
	return err
}

func (s *server) goodGorm(c *gin.Context) {
	var u User
	if err := c.ShouldBindJSON(&u); err != nil {
		return
	}
	u.Role = "member"
	s.gorm.Create(&u)
}
