package rkv00

import "database/sql"

func badNoReason(tx *sql.Tx) {
	/* want `RKV00 ignore-comment: the comment needs a rule and a reason` */ //rowkeeper:ignore RKV04
	tx.Commit()
}

func badIdle(tx *sql.Tx) error {
	/* want `RKV00 ignore-comment: the comment has nothing to ignore` */ //rowkeeper:ignore RKV04 it only reads
	return tx.Commit()
}

func goodUsed(tx *sql.Tx) {
	//rowkeeper:ignore RKV04 it only reads
	tx.Commit()
}

func goodName(tx *sql.Tx) {
	tx.Commit() //rowkeeper:ignore commit-ignored it only reads
}
