// The recursive-descent parser: one method per rule of MySQL's grammar, spread over files by
// subject.
//
// Conventions. A method starts at the first token of its rule and leaves the position after the
// last one. Tokens already consumed are never given back; where a choice needs more than the next
// token, the method looks ahead. Every failure is Error() at the first token that does not fit.
//
// INV-PARSE-1: every recursion through expressions, queries, table references or JSON_TABLE columns
// passes a NestingScope, so depth of calls is bounded by ParserOptions::max_nesting and the height
// of the tree by max_height.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "row/collation.h"
#include "sql/ast/admin.h"
#include "sql/ast/ddl.h"
#include "sql/ast/expr.h"
#include "sql/ast/query.h"
#include "sql/ast/stmt.h"
#include "sql/parser/lexer.h"
#include "sql/parser/parser.h"
#include "sql/parser/program_names.h"

namespace borealis::sql {

class Parser {
 public:
  Parser(std::string_view text, const ParserOptions& options);
  void set_client_charset(row::CharsetId charset) { client_charset_ = charset; }

  Result<ParsedStatement> ParseOneStatement();
  Result<ExprPtr> ParseWholeExpression();
  Result<Program> ParseWholeTriggerBody(TriggerTiming timing, TriggerEvent event);

 private:
  using Kw = Keyword;

  // ---- tokens (parser.cc)
  const Token& Cur() const { return tokens_[pos_]; }
  const Token& Ahead(size_t n) const {
    return tokens_[pos_ + n < tokens_.size() ? pos_ + n : tokens_.size() - 1];
  }
  void Next() {
    last_end_ = Cur().end;
    if (pos_ + 1 < tokens_.size()) {
      ++pos_;
    }
  }
  static bool Is(const Token& token, Kw keyword) {
    return token.kind == TokenKind::kIdent && token.keyword == keyword;
  }
  static bool Is(const Token& token, Op op) {
    return token.kind == TokenKind::kOperator && token.op == op;
  }
  bool At(Kw keyword) const { return Is(Cur(), keyword); }
  bool At(Op op) const { return Is(Cur(), op); }
  bool At(TokenKind kind) const { return Cur().kind == kind; }
  bool At(Kw first, Kw second) const { return At(first) && Is(Ahead(1), second); }
  template <class T>
  bool Accept(T what) {
    if (!At(what)) {
      return false;
    }
    Next();
    return true;
  }
  bool Accept(Kw first, Kw second);
  bool AcceptAny(std::initializer_list<Kw> keywords);
  template <class T>
  Status Expect(T what) {
    if (!At(what)) {
      return Error();
    }
    Next();
    return Status::Ok();
  }
  Status Expect(Kw first, Kw second);
  bool AtWord(std::string_view upper) const;  // an unquoted word that is no keyword
  bool AtEnd() const { return At(TokenKind::kEnd) || At(Op::kSemicolon); }
  uint32_t Begin() const { return Cur().begin; }
  Span SpanFrom(uint32_t begin) const { return {begin, last_end_}; }
  std::string_view TextOf(const Token& token) const {
    return text_.substr(token.begin, token.end - token.begin);
  }
  std::string UpperText(const Token& token) const;

  Status Error() const { return ErrorAt(Cur()); }
  Status ErrorAt(const Token& token) const;
  Status ErrorAt(const Token& token, const std::string& reason) const;
  std::pair<std::string, ptrdiff_t> Place(const Token& token) const;
  Status TooDeep() const;

  // ---- warnings of deprecated syntax (deprecated_syntax.cc)
  void Warn(Status warning) { warnings_.push_back(std::move(warning)); }
  void WarnOfSyntax(std::string_view syntax, std::string_view instead);
  void WarnOfCharset(std::string_view name);
  void WarnOfNational();
  void WarnOfVariableAssignment();
  void WarnOfFoundRows(bool option);  // SQL_CALC_FOUND_ROWS, or FOUND_ROWS()

  // ---- names and simple values (parser.cc)
  bool IsIdent(const Token& token) const;
  bool AtIdent() const { return IsIdent(Cur()); }
  Result<std::string> Ident();
  Result<std::string> IdentOrString();
  Result<std::string> StringText();
  Status CheckNames(size_t first_token) const;
  Result<std::string> DottedIdent();                // after a dot: any word
  Status IdentList(std::vector<std::string>* out);  // (a, b)
  Status TableName(QualifiedName* out);
  Status TableNameList(std::vector<QualifiedName>* out);
  Result<uint64_t> UnsignedNumber();
  Result<uint64_t> NumberWithSuffix();  // 64K, 1G
  // In lower case; "default" for DEFAULT; BINARY, ASCII, UNICODE. The other two warn of utf8mb3.
  Result<std::string> CharsetOrCollation();
  Result<std::string> CharsetName();
  Result<std::string> CollationName();
  bool AcceptCharsetKeyword();  // CHARACTER SET | CHARSET | CHAR SET
  Status Account(AccountName* out);
  Status AccountList(std::vector<AccountName>* out);
  bool AcceptIfExists(Status* error);
  bool AcceptIfNotExists(Status* error);

  bool StringEscapes() const { return !options_.no_backslash_escapes; }

  // Counts one level of recursion and the height of what is parsed inside it.
  class NestingScope {
   public:
    explicit NestingScope(Parser* parser) : parser_(parser), outer_height_(parser->height_) {
      ++parser_->nesting_;
      parser_->height_ = 0;
    }
    ~NestingScope() {
      --parser_->nesting_;
      parser_->height_ = std::max(outer_height_, parser_->height_ + 1);
    }
    NestingScope(const NestingScope&) = delete;
    NestingScope& operator=(const NestingScope&) = delete;
    bool ok() const { return parser_->nesting_ <= parser_->options_.max_nesting; }

   private:
    Parser* parser_;
    uint32_t outer_height_;
  };
  Status GrowChain();  // one more link of a left-deep chain

  // ---- expressions (expression_parser.cc)
  Result<ExprPtr> ParseExpr();
  Result<ExprPtr> ParseLogic(int min_precedence);
  Result<ExprPtr> BesideLeft(Result<ExprPtr> (Parser::*rule)(int), int min_precedence);
  Result<ExprPtr> ParseNot();
  Result<ExprPtr> ParseComparison();
  Result<ExprPtr> ParseIs(ExprPtr operand, bool* is_final);
  Result<ExprPtr> ParsePredicate();
  Result<ExprPtr> ParsePredicateTail(ExprPtr left, bool negated);
  Result<ExprPtr> ParseIn(ExprPtr left, bool negated);
  Result<ExprPtr> ParseBits(int min_precedence);
  Result<ExprPtr> ParseUnary();
  Result<ExprPtr> ParseSimple();
  Status ParseExprList(std::vector<ExprPtr>* out);       // a, b
  Status ParseParenExprList(std::vector<ExprPtr>* out);  // (a, b), possibly empty
  Status ParseOrderList(std::vector<OrderItem>* out);
  Status ParseColumnOrder(std::vector<OrderItem>* out);
  SortDirection ParseDirection();
  Status ParseValueList(std::vector<ExprPtr>* out);  // (a, DEFAULT, b), possibly empty
  Result<ExprPtr> ParseValueOrDefault();
  Result<ExprPtr> MakeBinary(BinaryOp op, ExprPtr left, ExprPtr right);
  Result<ExprPtr> ParseIntervalSide(ExprPtr left, bool subtract);
  bool AtConcatPipes() const { return options_.pipes_as_concat && At(Op::kPipePipe); }

  // ---- primaries (primary_parser.cc)
  Result<ExprPtr> ParsePrimary();
  Result<ExprPtr> ParseKeywordPrimary();
  Result<ExprPtr> ParseWordPrimary();
  Result<ExprPtr> ParseLiteral();
  Result<ExprPtr> ParseStringLiteral();
  Result<ExprPtr> ParseNumberLiteral();
  Result<ExprPtr> ParseTemporalLiteral(LiteralKind kind);
  Result<ExprPtr> ParseParenthesised();
  Result<ExprPtr> ParseUserVariable();
  Result<ExprPtr> ParseSystemVariable();
  Result<ExprPtr> ParseColumnRef();
  Result<ExprPtr> ParseJsonArrows(ExprPtr column);
  Result<ExprPtr> ParseCase();
  Result<ExprPtr> ParseCast();
  Result<ExprPtr> ParseConvert();
  Result<ExprPtr> ParseExists();
  Result<ExprPtr> ParseMatch();
  template <class Node>
  Result<ExprPtr> ParseOfColumn();  // NAME(column)
  Result<ExprPtr> ParseDefaultFunction();
  Result<ExprPtr> ParseValuesFunction();
  Result<ExprPtr> ParseRowConstructor();
  Result<ExprPtr> ParseIntervalPrimary();
  Result<ExprPtr> ParseOdbcEscape();
  Result<ExprPtr> KeywordLiteral(LiteralKind kind, uint64_t value);
  Result<std::unique_ptr<ColumnRef>> ParseSimpleColumn();  // [[schema.]table.]column

  // ---- functions (function_parser.cc)
  bool HasTopLevelComma(size_t open) const;  // inside the parentheses opened at index `open`
  bool AtCall() const { return Is(Ahead(1), Op::kLeftParen); }
  bool AtTightCall() const;  // no blank before the parenthesis, unless IGNORE_SPACE
  Result<ExprPtr> ParseCall(std::string name);         // at '('
  Result<ExprPtr> ParseNamedCall(std::string name);    // the same, of a name that may collide
  Result<ExprPtr> ParseKeywordCall(std::string name);  // at the word
  Result<ExprPtr> ParseNow(std::string name);
  Result<ExprPtr> ParseSpecialCall(bool* handled);  // at the word
  Result<ExprPtr> ParseKeywordFunction(bool* handled);
  Result<ExprPtr> ParseTightCall(bool* handled);
  Result<ExprPtr> ParseModFunction();
  Result<ExprPtr> ParseAggregate(AggregateFn fn);
  Result<ExprPtr> ParseCount();
  Result<ExprPtr> ParseGroupConcat();
  Result<ExprPtr> ParseDateArithmetic(bool subtract, bool days_allowed);
  Result<ExprPtr> ParseExtract();
  Result<ExprPtr> ParseTrim();
  Result<ExprPtr> ParseSubstring();
  Result<ExprPtr> ParsePosition();
  Result<ExprPtr> ParseTimestampDifference();
  Result<ExprPtr> ParseGetFormat();
  Result<ExprPtr> ParseCharFunction();
  Result<ExprPtr> ParseWeightString();
  Result<ExprPtr> ParseJsonValue();
  Status CheckRowCount(const Expr& count) const;
  Result<ExprPtr> ParseWindowFunction(WindowFn fn);
  Status ParseJsonOn(JsonOn* on_empty, JsonOn* on_error);
  Result<IntervalUnit> ParseIntervalUnit();
  Status ParseOver(std::unique_ptr<WindowSpec>* over);
  Status ParseWindowSpec(WindowSpec* spec);  // ( … )
  Status ParseFrame(WindowFrame* frame);
  Status ParseFrameBound(FrameBound* bound);

  // ---- types (type_parser.cc)
  Status ParseDataType(TypeName* type);
  Status ParseCastType(TypeName* type);
  Status ParseStringType(TypeName* type);
  Status ParseCharacterType(Kw keyword, TypeName* type);
  Status ParseRemainingType(Kw keyword, TypeName* type);
  Status ParseNumericType(Kw keyword, TypeName* type);
  Status ParseTypeLength(TypeName* type, bool required);
  Status ParsePrecision(TypeName* type);
  Status ParseFloatPrecision(TypeName* type);
  bool AcceptBinaryAttribute();
  Status ParseCharsetAttributes(TypeName* type);
  Status ParseNumberAttributes(TypeName* type);
  Status ParseMemberList(TypeName* type);

  // ---- queries (select_parser.cc, table_parser.cc)
  bool AtQuery() const;                   // SELECT, WITH, TABLE, VALUES ROW or '(' that holds one
  bool ParenHoldsQuery(size_t at) const;  // at index of a '('
  Result<QueryPtr> ParseQuery();          // without INTO
  Result<QueryPtr> ParseTopQuery();       // INTO allowed
  Result<QueryPtr> ParseQueryWithInto(std::unique_ptr<IntoClause>* into);
  Result<QueryPtr> ParseSubquery();  // (query)
  Status ParseWith(std::unique_ptr<WithClause>* with);
  Status ParseQueryTail(Query* query, std::unique_ptr<IntoClause>* into);
  Result<bool> AtSetOperator(Kw a, Kw b, const std::unique_ptr<IntoClause>* into) const;
  Result<QueryBodyPtr> ParseSetOperations(std::unique_ptr<IntoClause>* into);
  Result<QueryBodyPtr> ParseIntersections(std::unique_ptr<IntoClause>* into);
  Result<QueryBodyPtr> ParseQueryPrimary(std::unique_ptr<IntoClause>* into);
  Result<QueryBodyPtr> ParseSelectCore(std::unique_ptr<IntoClause>* into);
  Status ParseSelectOptions(SelectCore* core);
  Status ParseSelectItems(SelectCore* core);
  Status ParseSelectItem(SelectItem* item);
  bool ParseWildcard(SelectItem* item);
  Status ParseSelectClauses(SelectCore* core);
  Status ParseValuesRows(ValuesCore* core);
  Status ParseLimit(LimitClause* limit);
  Result<ExprPtr> ParseLimitValue();
  Status ParseLocking(std::vector<LockingClause>* locking);
  // Errors: 3953 for a second, 3954 where `into` is null.
  Status ParseInto(std::unique_ptr<IntoClause>* into);
  Status ParseFileFormat(FileFormat* format);
  Status ParseHints(std::vector<std::string>* hints);

  Status ParseTableReferences(std::vector<TableRefPtr>* out);
  Result<TableRefPtr> ParseJoins();
  Status ParseJoinWords(JoinedTable* join);
  Result<TableRefPtr> ParseTableFactor();
  Result<TableRefPtr> ParseParenthesisedTables();
  Result<TableRefPtr> ParseDerived(bool lateral);
  Result<TableRefPtr> ParseNamedTable();
  Result<TableRefPtr> ParseJsonTable();
  Status ParseJsonTableColumns(std::vector<JsonTableColumn>* out);
  Status ParseJsonTableColumn(JsonTableColumn* column);
  Status ParseIndexHints(std::vector<IndexHint>* out);
  Status ParsePartitionNames(std::vector<std::string>* out);
  Status ParseAlias(std::optional<std::string>* alias, bool string_allowed);
  bool AtJoin() const;

  // ---- statements (statement_parser.cc)
  Result<StmtPtr> ParseStatement();
  Result<StmtPtr> ParseCreate();
  Result<StmtPtr> ParseCreateProgram(std::optional<AccountName> definer);
  Result<StmtPtr> ParseAlter();
  Result<StmtPtr> ParseDrop();
  Result<StmtPtr> ParseRename();
  Result<StmtPtr> Unsupported(std::string construct);
  Result<StmtPtr> ParseSelectStatement();

  // ---- DML (dml_parser.cc)
  Result<StmtPtr> ParseInsert(bool replace);
  Status ParseInsertSource(InsertStmt* stmt);
  Status ParseInsertColumns(InsertStmt* stmt);
  Status ParseInsertSet(InsertStmt* stmt);
  // --- (value_rows_parser.cc)
  Status ParseValueRow(ValueRows* rows);
  Status ParseRowValue(ValueRows* rows);
  // The token as a cell; false, and nothing added, when it takes an expression.
  bool AddPlain(const Token& token, ValueRows* rows);
  bool AddNegative(const Token& token, ValueRows* rows);
  static bool ReadInteger(std::string_view text, uint64_t* number);
  static bool ReadFloat(std::string_view text, double* number);
  Status ParseRowAlias(InsertStmt* stmt);
  Status ParseOnDuplicate(InsertStmt* stmt);
  Status ParseAssignments(std::vector<AssignmentPtr>* out);
  Result<StmtPtr> ParseWithStatement();
  Result<StmtPtr> ParseUpdate(std::unique_ptr<WithClause> with);
  Result<StmtPtr> ParseDelete(std::unique_ptr<WithClause> with);
  Status ParseDeleteTargets(DeleteStmt* stmt);
  void NoteDeleteTargets(size_t first_table, const DeleteStmt& stmt);
  Status ParseSingleTableTail(ExprPtr* where, std::vector<OrderItem>* order_by,
                              std::optional<LimitClause>* limit);
  Result<StmtPtr> ParseLoad();
  Status ParseLoadTail(LoadDataStmt* stmt);
  Result<StmtPtr> ParseDo();
  Result<StmtPtr> ParseCallStatement();
  Result<StmtPtr> ParseHandler();
  Status ParseHandlerRead(HandlerStmt* stmt);

  // ---- DDL (ddl_parser.cc, column_parser.cc, alter_parser.cc)
  Result<StmtPtr> ParseCreateDatabase();
  Result<StmtPtr> ParseAlterDatabase();
  Status ParseDatabaseOptions(DatabaseOptions* options, bool required);
  Result<StmtPtr> ParseCreateTable(bool temporary);
  Status ParseCreateTableBody(CreateTableStmt* stmt);
  Status ParseTableElements(CreateTableStmt* stmt);
  Status ParseTableElement(CreateTableStmt* stmt);
  Status ParseTableOptions(std::vector<TableOption>* out, bool commas_allowed);
  Result<bool> ParseTableOption(TableOption* option);
  Status ParseNamedOptionValue(TableOption* option);
  Status ParseTableOptionValue(Kw keyword, TableOption* option);
  Status ParsePartitionClause(std::optional<PartitionClause>* partition);
  Result<StmtPtr> ParseCreateIndex(IndexType type);
  Result<StmtPtr> ParseDropIndex();
  Result<StmtPtr> ParseDropTable(bool temporary);
  Result<StmtPtr> ParseDropProgram(ProgramKind kind);
  Result<StmtPtr> ParseTruncate();
  Result<StmtPtr> ParseRenameTable();
  Result<StmtPtr> ParseCreateView(std::unique_ptr<CreateViewStmt> stmt);
  Status ParseViewPrefix(CreateViewStmt* stmt);
  bool AtConstraint() const;
  Status ParseTableConstraint(std::optional<IndexDefinition>* index,
                              std::optional<ForeignKeyDefinition>* foreign_key,
                              std::optional<CheckConstraint>* check);
  Status ParseIndexRest(IndexDefinition* index);
  Status ParseIndexOptions(IndexDefinition* index);
  Status ParseIndexAlgorithm(IndexDefinition* index);
  Status ParseKeyParts(std::vector<KeyPart>* out);
  Status ParseForeignKey(ForeignKeyDefinition* key);
  Status ParseReferences(References* references);
  Status ParseReferenceAction(ReferenceAction* action);
  Status ParseCheck(CheckConstraint* check);
  Status ParseOnlineOption(OnlineDdlOptions* online, bool* handled);

  Status ParseColumnDefinition(ColumnDefinition* column);  // name and everything after it
  Status ParseColumnBody(ColumnDefinition* column);
  Status ParseColumnAttributes(ColumnDefinition* column);
  Status ParseColumnAttribute(ColumnDefinition* column, bool* handled);
  Status ParseRareColumnAttribute(ColumnDefinition* column, bool* handled);
  Status ParseDefaultValue(DefaultValue* value);
  Result<ExprPtr> ParseNowFunction();
  Status ParseGenerated(ColumnDefinition* column);

  Result<StmtPtr> ParseAlterTable();
  Status ParseAlterAction(AlterTableStmt* stmt);
  Status ParseAdd(AlterTableStmt* stmt);
  Status ParseAddColumns(AlterTableStmt* stmt);
  Status ParseDropAction(AlterAction* action);
  Status ParseAlterItem(AlterAction* action);
  Status ParseRenameAction(AlterAction* action);
  Status ParseChange(AlterAction* action, bool modify);
  Status ParsePosition(AlterAction* action);
  Status ParseOtherAlter(AlterTableStmt* stmt, bool* handled);
  Status ParsePartitionOperation(AlterAction* action, bool* handled);

  // ---- SHOW, EXPLAIN (show_parser.cc)
  Result<StmtPtr> ParseShow();
  Status ParseShowPlain(ShowStmt* stmt);
  Status ParseShowCreate(ShowStmt* stmt);
  Status ParseShowFull(ShowStmt* stmt);
  Status ParseShowReplication(ShowStmt* stmt, bool* handled);
  Status ParseShowDiagnostics(ShowStmt* stmt, bool* handled);
  Status ParseShowTableThings(ShowStmt* stmt, bool* handled);
  Status ParseShowServerThings(ShowStmt* stmt, bool* handled);
  Status ParseShowEngine(ShowStmt* stmt);
  Status ParseShowGrants(ShowStmt* stmt);
  Status ParseShowColumns(ShowStmt* stmt);
  Status ParseShowIndexes(ShowStmt* stmt);
  Status ParseShowProfile(ShowStmt* stmt);
  Status ParseShowFrom(std::string* schema);
  Status ParseShowFilter(ShowStmt* stmt);
  Result<StmtPtr> ParseDescribe();
  Status ParseExplainFormat(ExplainFormat* format);

  // ---- SET and transactions (session_parser.cc)
  Result<StmtPtr> ParseStart();
  Result<StmtPtr> ParseBegin();
  Result<StmtPtr> ParseCommit();
  Result<StmtPtr> ParseRollback();
  Status ParseCompletion(Completion* chain, Completion* release);
  Result<StmtPtr> ParseSavepoint();
  Result<StmtPtr> ParseRelease();
  Result<StmtPtr> ParseXa();
  Result<StmtPtr> ParseSet();
  Status ParseSetItem(SetItem* item, VariableScope* sticky, bool first);
  Status ParseSetNames(SetItem* item);
  Status ParseSetTransaction(SetItem* item);
  Status ParseSetPassword(SetItem* item);
  Status ParseSetSystemVariable(SetItem* item);
  Result<ExprPtr> ParseSetValue();
  Result<StmtPtr> ParseSetRole();
  Result<StmtPtr> ParseSetDefaultRole();
  Status ParseTransactionCharacteristics(SetItem* item);
  bool AcceptScope(VariableScope* scope);

  // ---- accounts (account_parser.cc)
  Result<StmtPtr> ParseCreateUser();
  Result<StmtPtr> ParseAlterUser();
  Result<StmtPtr> ParseDropUser();
  Result<StmtPtr> ParseRenameUser();
  Result<StmtPtr> ParseCreateRole();
  Result<StmtPtr> ParseDropRole();
  Result<StmtPtr> ParseGrant();
  Result<StmtPtr> ParseRevoke();
  Status ParseUserSpec(UserSpec* user);
  Status ParseUserSpecs(std::vector<UserSpec>* users);
  Status ParseAccountOptions(std::vector<AccountOption>* options);
  Status ParseAccountOption(AccountOption* option, bool* handled);
  Status ParsePasswordOption(AccountOption* option);
  Status ParseRequire(std::vector<AccountOption>* options);
  Status ParsePrivileges(std::vector<PrivilegeSpec>* out);
  Status ParsePrivilege(PrivilegeSpec* privilege);
  Status ParseGrantTarget(GrantObject* object, QualifiedName* target);
  bool AtRoleGrant(Kw end) const;
  Status RoleNames(std::vector<AccountName>* out);

  // ---- the rest (admin_parser.cc)
  Result<StmtPtr> ParseUse();
  Result<StmtPtr> ParseHelp();
  Result<StmtPtr> ParseKill();
  Result<StmtPtr> ParsePrepare();
  Result<StmtPtr> ParseExecute();
  Result<StmtPtr> ParseDeallocate();
  Result<StmtPtr> ParseLock();
  Result<StmtPtr> ParseUnlock();
  Result<StmtPtr> ParseFlush();
  Status ParseFlushTables(FlushStmt* stmt);
  Status ParseFlushItem(FlushStmt* stmt);
  Result<StmtPtr> ParseReset();
  Result<StmtPtr> ParseTableMaintenance(TableMaintenanceStmt::Verb verb);
  Status ParseMaintenanceTail(TableMaintenanceStmt* stmt);

  // ---- diagnostics (diagnostics_parser.cc)
  Result<StmtPtr> ParseSignal(bool resignal);
  Status ResolveCondition(SignalStmt* stmt);
  Result<StmtPtr> ParseGetDiagnostics();
  Status ParseDiagnosticsTarget(GetDiagnosticsStmt::Item* item);
  Result<ExprPtr> ParseDiagnosticsValue();

  // ---- triggers (trigger_parser.cc)
  Result<StmtPtr> ParseCreateTrigger(std::optional<AccountName> definer);
  Result<StmtPtr> ParseDropTrigger();
  std::string TextWithoutVersionMarks(Span span) const;
  Status ParseTriggerMoment(CreateTriggerStmt* stmt);
  Result<Program> ParseTriggerProgram(TriggerTiming timing, TriggerEvent event);

  // ---- bodies of stored programs (program_parser.cc)
  Status ExpectStatementEnd();
  Status ParseProgramList(ProgramNodes* out, std::initializer_list<Kw> ends);
  Status ParseProgramBranch(ProgramNodes* out, std::initializer_list<Kw> ends);
  Status ParseProgramStatement(ProgramNodes* out);
  Status ParseProgramNodes(ProgramNodes* out);
  Result<ProgramNodePtr> ParseLabelled();
  Result<ProgramNodePtr> ParseBlockOrLoop(const std::string& label);
  Result<ProgramNodePtr> ParseBlock(uint32_t id);
  Result<ProgramNodePtr> ParseLoop(uint32_t id);
  Result<ProgramNodePtr> ParseProgramIf();
  Result<ProgramNodePtr> ParseProgramCase();
  Result<ProgramNodePtr> ParseLeave();
  Result<ProgramNodePtr> ParseOpenOrClose();
  Result<ProgramNodePtr> ParseFetch();
  Status CursorName(uint32_t* cursor);

  // ---- their declarations (declaration_parser.cc)
  Status ParseDeclarations(ProgramBlock* block);
  Status ParseVariableDeclaration(ProgramBlock* block, bool late);
  Status ParseConditionDeclaration(bool late);
  Status ParseCursorDeclaration(ProgramBlock* block);
  Status ParseHandlerDeclaration(ProgramBlock* block);
  Status ParseHandledCondition(ProgramCondition* condition);
  Status ParseConditionValue(ProgramCondition* condition);
  Status ParseSqlState(std::string* sqlstate);
  ProgramNodePtr InBlock(ProgramNodes statements);

  // ---- their statements and names (program_statement_parser.cc)
  Status ParseEmbeddedStatement(ProgramNodes* out);
  Status AddStatement(StmtPtr statement, uint32_t begin, ProgramNodes* out);
  Status NoteOffences(const Stmt& statement);
  Status CheckOffences() const;
  std::optional<ProgramSlot::Origin> RowNamed(std::string_view name) const;
  Status CheckRow(ProgramSlot::Origin row) const;
  static ExprPtr SlotValue(uint32_t slot, Span span);
  Result<ExprPtr> ResolveInProgram(const ColumnRef& name);
  Result<uint32_t> VariableSlot(const std::string& name) const;
  bool AtSlotTarget() const;
  Result<uint32_t> ParseRowTarget();
  Status CheckNoSlotMeant() const;
  Status ParseSlotAssignment(ProgramNodes* out);
  Status ParseProgramSet(ProgramNodes* out);

  std::string_view text_;
  ParserOptions options_;
  Lexer lexer_;
  // In which introduced literals came; none: the text is the server's own.
  std::optional<row::CharsetId> client_charset_;
  std::vector<Token> tokens_;
  size_t pos_ = 0;
  uint32_t last_end_ = 0;  // end of the token consumed last
  size_t start_ = 0;       // first byte of the statement that is not white space
  uint32_t nesting_ = 0;
  uint32_t height_ = 0;       // of the highest tree parsed in the current NestingScope
  bool consume_all_ = false;  // the statement runs to the end of the text (stored programs)
  std::vector<uint32_t> parameters_;
  std::vector<Status> warnings_;
  bool in_on_duplicate_ = false;         // in the assignments of ON DUPLICATE KEY UPDATE
  std::optional<ProgramNames> program_;  // while a stored program's body is parsed
};

}  // namespace borealis::sql
