package pgerr

// SQLSTATEs that decide what becomes of a transaction. Source: PostgreSQL, "Error
// Codes".
const (
	SerializationFailure = "40001"
	CompletionUnknown    = "40003"
	DeadlockDetected     = "40P01"
	LockNotAvailable     = "55P03"
	InFailedTransaction  = "25P02"
	ReadOnly             = "25006"
	IdleInTransaction    = "25P03"
	TransactionTimeout   = "25P04"
	InvalidParameter     = "22023"
	UndefinedStatement   = "26000"
	DuplicateStatement   = "42P05"
	QueryCanceled        = "57014"
	NotSupported         = "0A000"
	ProtocolViolation    = "08P01"
	TooManyConnections   = "53300"
	CannotConnectNow     = "57P03"
	Syntax               = "42601"
	UnknownSetting       = "42704"
	InternalError        = "XX000"
	InvalidCursor        = "34000"
	CommittedButSchema   = "XXA00" // CockroachDB: pgcode.TransactionCommittedWithSchemaChangeFailure
	UniqueViolation      = "23505"
	UndefinedTable       = "42P01"
	InvalidText          = "22P02"

	ClassIntegrityViolation = "23"
)
