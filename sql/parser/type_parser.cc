// Data types of columns and of CAST.
#include <charconv>

#include "base/mysql_error.h"
#include "sql/parser/parser_internal.h"

namespace borealis::sql {

// (n); `required` when the type has no default length.
Status Parser::ParseTypeLength(TypeName* type, bool required) {
  if (!At(Op::kLeftParen)) {
    return required ? Error() : Status::Ok();
  }
  Next();
  ASSIGN_OR_RETURN(type->length, UnsignedNumber());
  return Expect(Op::kRightParen);
}

// (p) or (p, s)
Status Parser::ParsePrecision(TypeName* type) {
  if (!Accept(Op::kLeftParen)) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(type->length, UnsignedNumber());
  if (Accept(Op::kComma)) {
    ASSIGN_OR_RETURN(type->scale, UnsignedNumber());
  }
  return Expect(Op::kRightParen);
}

// What comes after FLOAT. A single number may have a fraction, which says nothing: FLOAT(10.3).
Status Parser::ParseFloatPrecision(TypeName* type) {
  if (!At(Op::kLeftParen) || Ahead(1).kind != TokenKind::kDecimal) {
    return ParsePrecision(type);
  }
  Next();
  const std::string_view digits = TextOf(Cur());
  uint64_t precision = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), precision);
  type->length = precision;
  Next();
  return Expect(Op::kRightParen);
}

Status Parser::ParseNumberAttributes(TypeName* type) {
  bool is_unsigned = false;
  for (;;) {
    if (Accept(Kw::kUnsigned)) {
      is_unsigned = true;
    } else if (Accept(Kw::kZerofill)) {
      type->zerofill = true;
      Warn(Status::User(
          ER_WARN_DEPRECATED_SYNTAX_NO_REPLACEMENT,
          "The ZEROFILL attribute is deprecated and will be removed in a future release. Use the "
          "LPAD function to zero-pad numbers, or store the formatted numbers in a CHAR column."));
    } else if (!Accept(Kw::kSigned)) {
      break;
    }
  }
  type->is_unsigned = is_unsigned || type->zerofill;
  const bool floating = type->kind == TypeKind::kFloat || type->kind == TypeKind::kDouble;
  const bool exact = type->kind == TypeKind::kDecimal;
  const bool is_year = type->kind == TypeKind::kYear;
  const bool is_bool = type->kind == TypeKind::kTinyInt && type->length == 1U && !type->is_unsigned;
  if (floating && type->scale.has_value()) {
    Warn(UserError(ER_WARN_DEPRECATED_SYNTAX_NO_REPLACEMENT,
                   "Specifying number of digits for floating point data types"));
  } else if (!floating && !exact && !is_year && !is_bool && type->length.has_value()) {
    Warn(UserError(ER_WARN_DEPRECATED_SYNTAX_NO_REPLACEMENT, "Integer display width"));
  }
  if (is_unsigned && (floating || exact)) {
    Warn(Status::User(ER_WARN_DEPRECATED_SYNTAX_NO_REPLACEMENT,
                      "UNSIGNED for decimal and floating point data types is deprecated and "
                      "support for it will be removed in a future release."));
  }
  return {};
}

bool Parser::AcceptBinaryAttribute() {
  if (!Accept(Kw::kBinary)) {
    return false;
  }
  WarnOfSyntax("BINARY as attribute of a type", "a CHARACTER SET clause with _bin collation");
  return true;
}

// [CHARACTER SET x | ASCII | UNICODE | BYTE] [BINARY] in either order.
Status Parser::ParseCharsetAttributes(TypeName* type) {
  while (true) {
    if (AcceptBinaryAttribute()) {
      type->binary_collation = true;
    } else if (Accept(Kw::kAscii)) {
      WarnOfSyntax("ASCII", "CHARACTER SET charset_name");
      type->charset = "latin1";
    } else if (Accept(Kw::kUnicode)) {
      WarnOfSyntax("UNICODE", "CHARACTER SET charset_name");
      type->charset = "ucs2";
    } else if (Accept(Kw::kByte)) {
      type->charset = "binary";
    } else if (AcceptCharsetKeyword()) {
      if (At(Kw::kDefault)) {
        return Error();
      }
      ASSIGN_OR_RETURN(type->charset, CharsetName());
    } else {
      return Status::Ok();
    }
  }
}

Status Parser::ParseMemberList(TypeName* type) {
  RETURN_IF_ERROR(Expect(Op::kLeftParen));
  do {
    if (At(TokenKind::kHex) || At(TokenKind::kBit)) {
      type->values.push_back(At(TokenKind::kHex) ? HexValue(text_, Cur()) : BitValue(text_, Cur()));
      Next();
      continue;
    }
    if (At(TokenKind::kNationalString)) {
      return Error();
    }
    ASSIGN_OR_RETURN(std::string value, StringText());
    type->values.push_back(std::move(value));
  } while (Accept(Op::kComma));
  RETURN_IF_ERROR(Expect(Op::kRightParen));
  return ParseCharsetAttributes(type);
}

Status Parser::ParseNumericType(Kw keyword, TypeName* type) {
  Next();
  switch (keyword) {
    case Kw::kTinyint:
    case Kw::kInt1:
      type->kind = TypeKind::kTinyInt;
      break;
    case Kw::kSmallint:
    case Kw::kInt2:
      type->kind = TypeKind::kSmallInt;
      break;
    case Kw::kMediumint:
    case Kw::kMiddleint:
    case Kw::kInt3:
      type->kind = TypeKind::kMediumInt;
      break;
    case Kw::kBigint:
    case Kw::kInt8:
      type->kind = TypeKind::kBigInt;
      break;
    case Kw::kReal:
      type->kind = options_.real_as_float ? TypeKind::kFloat : TypeKind::kDouble;
      RETURN_IF_ERROR(ParsePrecision(type));
      return ParseNumberAttributes(type);
    case Kw::kDouble:
    case Kw::kFloat8:
      type->kind = TypeKind::kDouble;
      Accept(Kw::kPrecision);
      RETURN_IF_ERROR(ParsePrecision(type));
      return ParseNumberAttributes(type);
    case Kw::kFloat:
    case Kw::kFloat4:
      type->kind = TypeKind::kFloat;
      RETURN_IF_ERROR(ParseFloatPrecision(type));
      if (type->length && !type->scale) {  // FLOAT(p) chooses the size by its bits
        type->kind = *type->length > 24 ? TypeKind::kDouble : TypeKind::kFloat;
        if (*type->length <= 53) {
          type->length.reset();
        }
      }
      return ParseNumberAttributes(type);
    case Kw::kDecimal:
    case Kw::kDec:
    case Kw::kNumeric:
    case Kw::kFixed:
      type->kind = TypeKind::kDecimal;
      RETURN_IF_ERROR(ParsePrecision(type));
      return ParseNumberAttributes(type);
    default:
      type->kind = TypeKind::kInt;
      break;
  }
  RETURN_IF_ERROR(ParseTypeLength(type, false));
  return ParseNumberAttributes(type);
}

// CHAR and VARCHAR in their many spellings, after the first word.
Status Parser::ParseCharacterType(Kw keyword, TypeName* type) {
  switch (keyword) {
    case Kw::kNational:
      type->national = true;
      if (Accept(Kw::kVarchar) || Accept(Kw::kVarcharacter)) {
        type->kind = TypeKind::kVarchar;
      } else {
        if (!Accept(Kw::kChar)) {
          RETURN_IF_ERROR(Expect(Kw::kCharacter));
        }
        type->kind = Accept(Kw::kVarying) ? TypeKind::kVarchar : TypeKind::kChar;
      }
      break;
    case Kw::kNchar:
      type->national = true;
      type->kind = Accept(Kw::kVarying) || Accept(Kw::kVarchar) || Accept(Kw::kVarcharacter)
                       ? TypeKind::kVarchar
                       : TypeKind::kChar;
      break;
    case Kw::kNvarchar:
      type->national = true;
      type->kind = TypeKind::kVarchar;
      break;
    case Kw::kChar:
    case Kw::kCharacter:
      type->kind = Accept(Kw::kVarying) ? TypeKind::kVarchar : TypeKind::kChar;
      break;
    default:  // VARCHAR, VARCHARACTER
      type->kind = TypeKind::kVarchar;
      break;
  }
  RETURN_IF_ERROR(ParseTypeLength(type, type->kind == TypeKind::kVarchar));
  if (type->national) {
    WarnOfNational();
    type->binary_collation = AcceptBinaryAttribute();
    return Status::Ok();
  }
  return ParseCharsetAttributes(type);
}

// BINARY, BLOB and TEXT; the rest are character types.
Status Parser::ParseStringType(TypeName* type) {
  const Kw keyword = Cur().keyword;
  Next();
  switch (keyword) {
    case Kw::kBinary:
      type->kind = TypeKind::kBinary;
      return ParseTypeLength(type, false);
    case Kw::kVarbinary:
      type->kind = TypeKind::kVarbinary;
      return ParseTypeLength(type, true);
    case Kw::kTinyblob:
      type->kind = TypeKind::kTinyBlob;
      return Status::Ok();
    case Kw::kBlob:
      type->kind = TypeKind::kBlob;
      return ParseTypeLength(type, false);
    case Kw::kMediumblob:
      type->kind = TypeKind::kMediumBlob;
      return Status::Ok();
    case Kw::kLongblob:
      type->kind = TypeKind::kLongBlob;
      return Status::Ok();
    case Kw::kTinytext:
      type->kind = TypeKind::kTinyText;
      return ParseCharsetAttributes(type);
    case Kw::kMediumtext:
      type->kind = TypeKind::kMediumText;
      return ParseCharsetAttributes(type);
    case Kw::kLongtext:
      type->kind = TypeKind::kLongText;
      return ParseCharsetAttributes(type);
    case Kw::kLong:
      if (Accept(Kw::kVarbinary)) {
        type->kind = TypeKind::kMediumBlob;
        return Status::Ok();
      }
      if (!Accept(Kw::kVarchar)) {
        if (Accept(Kw::kChar)) {
          RETURN_IF_ERROR(Expect(Kw::kVarying));
        }
      }
      type->kind = TypeKind::kMediumText;
      return ParseCharsetAttributes(type);
    case Kw::kText:
      type->kind = TypeKind::kText;
      RETURN_IF_ERROR(ParseTypeLength(type, false));
      return ParseCharsetAttributes(type);
    default:
      return ParseCharacterType(keyword, type);
  }
}

namespace {

std::optional<TypeKind> SpatialKind(Keyword keyword) {
  switch (keyword) {
    case Keyword::kGeometry:
      return TypeKind::kGeometry;
    case Keyword::kPoint:
      return TypeKind::kPoint;
    case Keyword::kLinestring:
      return TypeKind::kLineString;
    case Keyword::kPolygon:
      return TypeKind::kPolygon;
    case Keyword::kMultipoint:
      return TypeKind::kMultiPoint;
    case Keyword::kMultilinestring:
      return TypeKind::kMultiLineString;
    case Keyword::kMultipolygon:
      return TypeKind::kMultiPolygon;
    case Keyword::kGeometrycollection:
    case Keyword::kGeomcollection:
      return TypeKind::kGeometryCollection;
    default:
      return std::nullopt;
  }
}

}  // namespace

Status Parser::ParseDataType(TypeName* type) {
  if (!At(TokenKind::kIdent)) {
    return Error();
  }
  const Kw keyword = Cur().keyword;
  if (const std::optional<TypeKind> spatial = SpatialKind(keyword)) {
    Next();
    type->kind = *spatial;
    return Status::Ok();
  }
  switch (keyword) {
    case Kw::kTinyint:
    case Kw::kSmallint:
    case Kw::kMediumint:
    case Kw::kMiddleint:
    case Kw::kInt:
    case Kw::kInteger:
    case Kw::kBigint:
    case Kw::kInt1:
    case Kw::kInt2:
    case Kw::kInt3:
    case Kw::kInt4:
    case Kw::kInt8:
    case Kw::kReal:
    case Kw::kDouble:
    case Kw::kFloat:
    case Kw::kFloat4:
    case Kw::kFloat8:
    case Kw::kDecimal:
    case Kw::kDec:
    case Kw::kNumeric:
    case Kw::kFixed:
      return ParseNumericType(keyword, type);
    case Kw::kNational:
    case Kw::kNchar:
    case Kw::kNvarchar:
    case Kw::kChar:
    case Kw::kCharacter:
    case Kw::kVarchar:
    case Kw::kVarcharacter:
    case Kw::kBinary:
    case Kw::kVarbinary:
    case Kw::kTinyblob:
    case Kw::kBlob:
    case Kw::kMediumblob:
    case Kw::kLongblob:
    case Kw::kTinytext:
    case Kw::kText:
    case Kw::kMediumtext:
    case Kw::kLongtext:
    case Kw::kLong:
      return ParseStringType(type);
    default:
      break;
  }
  return ParseRemainingType(keyword, type);
}

// Temporal types, BIT, ENUM, SET, JSON and the synonyms BOOL and SERIAL.
Status Parser::ParseRemainingType(Kw keyword, TypeName* type) {
  Next();
  switch (keyword) {
    case Kw::kBit:
      type->kind = TypeKind::kBit;
      return ParseTypeLength(type, false);
    case Kw::kBool:
    case Kw::kBoolean:
      type->kind = TypeKind::kTinyInt;
      type->length = 1;
      return Status::Ok();
    case Kw::kDate:
      type->kind = TypeKind::kDate;
      return Status::Ok();
    case Kw::kTime:
      type->kind = TypeKind::kTime;
      return ParseTypeLength(type, false);
    case Kw::kDatetime:
      type->kind = TypeKind::kDatetime;
      return ParseTypeLength(type, false);
    case Kw::kTimestamp:
      type->kind = TypeKind::kTimestamp;
      return ParseTypeLength(type, false);
    case Kw::kYear:
      type->kind = TypeKind::kYear;
      RETURN_IF_ERROR(ParseTypeLength(type, false));
      if (type->length == 4U) {
        WarnOfSyntax("YEAR(4)", "YEAR");
      }
      return ParseNumberAttributes(type);
    case Kw::kEnum:
      type->kind = TypeKind::kEnum;
      return ParseMemberList(type);
    case Kw::kSet:
      type->kind = TypeKind::kSet;
      return ParseMemberList(type);
    case Kw::kJson:
      type->kind = TypeKind::kJson;
      return Status::Ok();
    case Kw::kSerial:
      type->kind = TypeKind::kBigInt;
      type->is_unsigned = true;
      type->serial = true;
      return Status::Ok();
    default:
      --pos_;
      return Error();
  }
}

Status Parser::ParseCastType(TypeName* type) {
  if (!At(TokenKind::kIdent)) {
    return Error();
  }
  if (const std::optional<TypeKind> spatial = SpatialKind(Cur().keyword)) {
    Next();
    type->kind = *spatial;
    return Status::Ok();
  }
  switch (Cur().keyword) {
    case Kw::kSigned:
    case Kw::kUnsigned:
      type->kind = TypeKind::kBigInt;
      type->is_unsigned = At(Kw::kUnsigned);
      Next();
      if (!Accept(Kw::kInt)) {
        Accept(Kw::kInteger);
      }
      return Status::Ok();
    case Kw::kBinary:
      type->kind = TypeKind::kBinary;
      Next();
      return ParseTypeLength(type, false);
    case Kw::kChar:
    case Kw::kCharacter:
      type->kind = TypeKind::kChar;
      Next();
      RETURN_IF_ERROR(ParseTypeLength(type, false));
      return ParseCharsetAttributes(type);
    case Kw::kNchar:
    case Kw::kNational:
      type->kind = TypeKind::kChar;
      type->national = true;
      if (Accept(Kw::kNational)) {
        RETURN_IF_ERROR(Expect(Kw::kChar));
      } else {
        Next();
      }
      WarnOfNational();
      return ParseTypeLength(type, false);
    case Kw::kDate:
    case Kw::kTime:
    case Kw::kDatetime:
    case Kw::kYear:
    case Kw::kJson:
      return ParseDataType(type);
    case Kw::kDecimal:
      type->kind = TypeKind::kDecimal;
      Next();
      return ParsePrecision(type);
    case Kw::kDouble:
      type->kind = TypeKind::kDouble;
      Next();
      Accept(Kw::kPrecision);
      return Status::Ok();
    case Kw::kReal:
      type->kind = options_.real_as_float ? TypeKind::kFloat : TypeKind::kDouble;
      Next();
      return Status::Ok();
    case Kw::kFloat: {
      Next();
      type->kind = TypeKind::kFloat;
      RETURN_IF_ERROR(ParseTypeLength(type, false));
      if (type->length && *type->length <= 53) {
        type->kind = *type->length > 24 ? TypeKind::kDouble : TypeKind::kFloat;
        type->length.reset();
      }
      return Status::Ok();
    }
    default:
      return Error();
  }
}

}  // namespace borealis::sql
