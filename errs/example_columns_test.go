package errs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/owner"
)

type (
	TenantID int64

	Project struct {
		ID     int64    `db:"id"        owner:"pk"`
		Tenant TenantID `db:"tenant_id" owner:"owner"`
	}
	Task struct {
		ID      int64    `db:"id"         owner:"pk"`
		Tenant  TenantID `db:"tenant_id"  owner:"owner"`
		Project int64    `db:"project_id"`
	}
)

var (
	projects = owner.MustTable[Project, TenantID]("projects")
	tasks    = owner.MustTable[Task, TenantID]("tasks",
		owner.References(projects, func(t *Task) any { return &t.Project }))
)

// Package owner refuses a project of another tenant before the database does, and knows
// the columns of the foreign key but not its name.
func ExampleRule_Columns() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	_, err = pool.Exec(ctx, `create table projects (id bigint primary key, tenant_id bigint not null);
		create table tasks (id bigint primary key, tenant_id bigint not null, project_id bigint not null,
			constraint task_of_project foreign key (project_id) references projects);
		insert into projects values (1, 42), (2, 43)`)
	if err != nil {
		log.Fatal(err)
	}

	catalog := errs.NewCatalog(
		errs.Constraint("task_of_project").On("tasks").Columns("project_id").
			Missing("unknown_project", "/project", "There is no such project.").
			InUse("project_has_tasks", "The project still has tasks."),
	)
	tenant, err := owner.For(TenantID(42))
	if err != nil {
		log.Fatal(err)
	}
	err = tasks.In(tenant).Insert(ctx, pool, &Task{ID: 1, Project: 2})
	var e *errs.Error
	if errors.As(catalog.Translate(err), &e) {
		fmt.Println(e.Status(), e.Code(), e.Field())
	}

	if _, err := pool.Exec(ctx, "drop table tasks; drop table projects"); err != nil {
		log.Fatal(err)
	}
	// Output: 422 unknown_project /project
}
