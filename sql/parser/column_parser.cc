// Column definitions: type, then attributes in any order.
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

Status Parser::ParseColumnDefinition(ColumnDefinition* column) {
  ASSIGN_OR_RETURN(column->name, Ident());
  return ParseColumnBody(column);
}

Status Parser::ParseColumnBody(ColumnDefinition* column) {
  RETURN_IF_ERROR(ParseDataType(&column->type));
  if (column->type.serial) {
    column->nullable = false;
    column->auto_increment = true;
    column->unique = true;
  }
  if (Accept(Kw::kCollate)) {
    ASSIGN_OR_RETURN(column->type.collation, CollationName());
  }
  if (At(Kw::kGenerated) || At(Kw::kAs)) {
    RETURN_IF_ERROR(ParseGenerated(column));
  }
  RETURN_IF_ERROR(ParseColumnAttributes(column));
  if (At(Kw::kReferences)) {
    RETURN_IF_ERROR(ParseReferences(&column->references.emplace()));
  }
  return Status::Ok();
}

// [GENERATED ALWAYS] AS (expr) [VIRTUAL | STORED]
Status Parser::ParseGenerated(ColumnDefinition* column) {
  if (Accept(Kw::kGenerated)) {
    RETURN_IF_ERROR(Expect(Kw::kAlways));
  }
  RETURN_IF_ERROR(Expect(Kw::kAs));
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  GeneratedColumn& generated = column->generated.emplace();
  const uint32_t begin = Begin();
  ASSIGN_OR_RETURN(generated.expr, ParseExpr());
  generated.expr_span = SpanFrom(begin);
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  if (Accept(Kw::kStored)) {
    generated.stored = true;
  } else {
    Accept(Kw::kVirtual);
  }
  return Status::Ok();
}

Status Parser::ParseColumnAttributes(ColumnDefinition* column) {
  bool handled = true;
  while (handled) {
    RETURN_IF_ERROR(ParseColumnAttribute(column, &handled));
    if (!handled) {
      RETURN_IF_ERROR(ParseRareColumnAttribute(column, &handled));
    }
  }
  return Status::Ok();
}

Status Parser::ParseColumnAttribute(ColumnDefinition* column, bool* handled) {
  *handled = true;
  if (At(Kw::kNot) && Is(Ahead(1), Kw::kNull)) {
    Next();
    Next();
    column->nullable = false;
  } else if (Accept(Kw::kNull)) {
    column->nullable = true;
  } else if (At(Kw::kDefault)) {
    if (column->generated) {
      return Error();
    }
    Next();
    return ParseDefaultValue(&column->default_value.emplace());
  } else if (At(Kw::kOn, Kw::kUpdate) && !column->generated) {
    Next();
    Next();
    ASSIGN_OR_RETURN(column->on_update, ParseNowFunction());
  } else if (At(Kw::kAutoIncrement) && !column->generated) {
    Next();
    column->auto_increment = true;
  } else if (Accept(Kw::kPrimary)) {
    Accept(Kw::kKey);
    column->primary_key = true;
  } else if (Accept(Kw::kKey)) {
    column->primary_key = true;
  } else if (Accept(Kw::kUnique)) {
    Accept(Kw::kKey);
    column->unique = true;
  } else if (Accept(Kw::kComment)) {
    ASSIGN_OR_RETURN(column->comment, StringText());
  } else if (Accept(Kw::kCollate)) {
    ASSIGN_OR_RETURN(column->type.collation, CollationName());
  } else if (At(Kw::kConstraint) || At(Kw::kCheck)) {
    CheckConstraint check;
    if (Accept(Kw::kConstraint) && AtIdent()) {
      ASSIGN_OR_RETURN(check.name, Ident());
    }
    RETURN_IF_ERROR(ParseCheck(&check));
    column->checks.push_back(std::move(check));
  } else {
    *handled = false;
  }
  return Status::Ok();
}

Status Parser::ParseRareColumnAttribute(ColumnDefinition* column, bool* handled) {
  *handled = true;
  if (Accept(Kw::kVisible)) {
    column->visible = true;
  } else if (Accept(Kw::kInvisible)) {
    column->visible = false;
  } else if (Accept(Kw::kColumnFormat)) {
    if (Accept(Kw::kDefault)) {
      column->format = ColumnFormat::kDefault;
    } else if (Accept(Kw::kFixed)) {
      column->format = ColumnFormat::kFixed;
    } else {
      RETURN_IF_ERROR(Expect(Kw::kDynamic));
      column->format = ColumnFormat::kDynamic;
    }
  } else if (Accept(Kw::kStorage)) {
    if (Accept(Kw::kDefault)) {
      column->storage = ColumnStorage::kDefault;
    } else if (Accept(Kw::kDisk)) {
      column->storage = ColumnStorage::kDisk;
    } else {
      RETURN_IF_ERROR(Expect(Kw::kMemory));
      column->storage = ColumnStorage::kMemory;
    }
  } else if (Accept(Kw::kEngineAttribute)) {
    Accept(Op::kEqual);
    ASSIGN_OR_RETURN(column->engine_attribute, StringText());
  } else if (Accept(Kw::kSecondaryEngineAttribute)) {
    Accept(Op::kEqual);
    ASSIGN_OR_RETURN(column->secondary_engine_attribute, StringText());
  } else if (Accept(Kw::kNot, Kw::kSecondary)) {
    column->not_secondary = true;
  } else if (Accept(Kw::kSrid)) {
    ASSIGN_OR_RETURN(const uint64_t srid, UnsignedNumber());
    column->type.srid = static_cast<uint32_t>(srid);
  } else if (At(Kw::kSerial) && Is(Ahead(1), Kw::kDefault)) {
    Next();
    Next();
    RETURN_IF_ERROR(Expect(Kw::kValue));
    column->nullable = false;
    column->auto_increment = true;
    column->unique = true;
  } else {
    *handled = false;
  }
  return Status::Ok();
}

// NOW, CURRENT_TIMESTAMP, LOCALTIME, LOCALTIMESTAMP with an optional precision.
Result<ExprPtr> Parser::ParseNowFunction() {
  const bool now = AtWord("NOW") && AtCall();
  if (!now && !At(Kw::kCurrentTimestamp) && !At(Kw::kLocaltime) && !At(Kw::kLocaltimestamp)) {
    return Error();
  }
  return now ? ParseKeywordCall("now") : ParseNow("now");
}

// A literal with an optional sign, NOW(), or (expr).
Status Parser::ParseDefaultValue(DefaultValue* value) {
  if (At(Op::kLeftParen)) {
    Next();
    value->parenthesised = true;
    ASSIGN_OR_RETURN(value->expr, ParseExpr());
    return Expect(Op::kRightParen);
  }
  if (At(Op::kMinus) || At(Op::kPlus)) {
    auto sign = std::make_unique<Unary>();
    sign->op = At(Op::kMinus) ? UnaryOp::kMinus : UnaryOp::kPlus;
    sign->span.begin = Begin();
    Next();
    if (!At(TokenKind::kInteger) && !At(TokenKind::kDecimal) && !At(TokenKind::kFloat)) {
      return Error();
    }
    ASSIGN_OR_RETURN(sign->operand, ParseNumberLiteral());
    sign->span.end = last_end_;
    value->expr = std::move(sign);
    return Status::Ok();
  }
  switch (Cur().kind) {
    case TokenKind::kString:
    case TokenKind::kNationalString:
    case TokenKind::kHex:
    case TokenKind::kBit:
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kFloat:
    case TokenKind::kIntroducer: {
      ASSIGN_OR_RETURN(value->expr, ParseLiteral());
      return Status::Ok();
    }
    default:
      break;
  }
  const bool temporal =
      (At(Kw::kDate) || At(Kw::kTime) || At(Kw::kTimestamp)) && Ahead(1).kind == TokenKind::kString;
  if (At(Kw::kNull) || At(Kw::kTrue) || At(Kw::kFalse) || temporal) {
    ASSIGN_OR_RETURN(value->expr, ParsePrimary());
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(value->expr, ParseNowFunction());
  return Status::Ok();
}

}  // namespace borealis::sql
