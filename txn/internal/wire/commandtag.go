package wire

import "github.com/jackc/pgx/v5/pgconn"

// usualTags are the tags that most statements are answered with, so that these cost no
// memory.
var usualTags = func() map[string]pgconn.CommandTag {
	tags := make(map[string]pgconn.CommandTag)
	for _, tag := range []string{
		"BEGIN", "COMMIT", "ROLLBACK", "SET", "SAVEPOINT", "RELEASE", "SELECT 0", "SELECT 1", "INSERT 0 0", "INSERT 0 1",
		"UPDATE 0", "UPDATE 1", "DELETE 0", "DELETE 1",
	} {
		tags[tag] = pgconn.NewCommandTag(tag)
	}
	return tags
}()

func tagOf(tag []byte) pgconn.CommandTag {
	if usual, ok := usualTags[string(tag)]; ok {
		return usual
	}
	return pgconn.NewCommandTag(string(tag))
}
