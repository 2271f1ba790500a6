package rkv16

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/jmoiron/sqlx"
	"gorm.io/gorm"
)

type User struct {
	Name   string `json:"name"     db:"name"`
	Role   string `json:"role"     db:"role"`
	Hidden string `json:"-"        db:"hidden"`
}

type Account struct {
	UserID  int    `json:"user_id" db:"user_id"`
	Name    string `json:"name"    db:"name"`
	Balance int    `json:"balance" db:"balance"`
}

type server struct {
	db   *sql.DB
	sqlx *sqlx.DB
	gorm *gorm.DB
}

func (s *server) badInsert(w http.ResponseWriter, r *http.Request) {
	var u User
	if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
		return
	}
	s.db.Exec("insert into users (name, role) values ($1, $2)", u.Name, u.Role) // want `RKV16 bind-row: the client sets Role`
}

func (s *server) badUpdate(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var a Account
	if err := json.Unmarshal(body, &a); err != nil {
		return
	}
	s.db.Exec("update accounts set name = $1, balance = $2 where id = $3", a.Name, a.Balance, r.PathValue("id")) // want `RKV16 bind-row: the client sets Balance`
}

func (s *server) badGin(c *gin.Context) {
	a := new(Account)
	if err := c.ShouldBindJSON(a); err != nil {
		return
	}
	s.db.Exec("insert into accounts (user_id, name) values ($1, $2)", a.UserID, a.Name) // want `RKV16 bind-row: the client sets UserID`
}

func (s *server) badNamed(w http.ResponseWriter, r *http.Request) {
	var u User
	json.NewDecoder(r.Body).Decode(&u)
	s.sqlx.NamedExec("insert into users (name, role) values (:name, :role)", u) // want `RKV16`
}

func (s *server) badGorm(c *gin.Context) {
	var u User
	if err := c.ShouldBindJSON(&u); err != nil {
		return
	}
	s.gorm.Create(&u) // want `RKV16`
}
