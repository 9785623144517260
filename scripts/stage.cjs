"use strict";

/**
 * What serverless.yml needs to know of the stage that it deploys: the one name that everything of the stage bears, and
 * the conditions on "the user bears this stage's enrolment tag", whose key holds that name (variables are resolved in
 * values only). The function itself refuses the same stages when it starts; here they are refused before they exist.
 */
module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable("sls:stage");
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(stage))
    throw new Error(`the stage is "${stage}", but may be lower-case letters, digits and hyphens`);
  if (stage === "hold") throw new Error("the stage is hold, but keyturn-hold is the tag of an operator's hold");
  if (stage === "owner") throw new Error("the stage is owner, but keyturn-owner is the tag that says whose a user is");
  const name = stage === "default" ? "keyturn" : `keyturn-${stage}`;
  const isEnrolled = { Null: { [`aws:ResourceTag/${name}`]: "false" } };
  // ForAllValues is also true of a request that names no tag.
  const isDescriptionOfEnrolled = {
    Null: { ...isEnrolled.Null, "aws:TagKeys": "false" },
    "ForAllValues:StringLike": { "aws:TagKeys": "AKIA*" },
  };
  const isHoldOfEnrolled = {
    Null: { ...isEnrolled.Null, "aws:TagKeys": "false" },
    "ForAllValues:StringEquals": { "aws:TagKeys": "keyturn-hold" },
  };
  return { name, isEnrolled, isDescriptionOfEnrolled, isHoldOfEnrolled };
};
